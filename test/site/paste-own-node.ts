// The paste test once more on the Node that the machine itself has, where that is another one than the project brings. On a
// Node that cannot read TypeScript, a reader starts a program with `node --import tsx`, in the folder with package.json; that
// takes three times as long to start. So each program of each page runs where CI is set, and the first of each elsewhere. A program
// that says `needs Node 26.6` is left out where the machine's Node is older than that.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { onStage, output, programsIn, scenariosForEachProgram } from '../support/recordings.ts'
import { noBrowser } from './browser.ts'
import { BUILD_LIMIT } from './built-site.ts'
import { type PasteFile, folderOf, pastedBook, scenarios, slugsOf } from './pasted.ts'

const own = ownNode()

/** The tests of every third page. */
export function ownNodeTests(file: PasteFile): void {
  describe.skipIf(own === undefined || noBrowser() !== undefined)(
    `on this machine's own Node (${own?.version ?? 'which is the one that runs the tests'})`,
    () => {
      beforeAll(async () => {
        // tsx keeps what it has compiled: it opens files for that in other threads, also when the program runs already, and one of
        // them can get the number that the program has just given back and expects again: stale-slot.broken.ts.
        vi.stubEnv('TSX_DISABLE_CACHE', '1')
        await pastedBook()
      }, BUILD_LIMIT)

      afterAll(() => {
        vi.unstubAllEnvs()
      })

      const howMany = process.env['CI'] ? 'each of its programs runs' : 'its first program runs'
      test.each(slugsOf(file))(`%s: ${howMany}`, { timeout: BUILD_LIMIT }, async (slug) => {
        const folder = folderOf(slug)
        const mayRun = (name: string): boolean =>
          !programsIn(output(slug, name)).some((program) => needsNewer(join(folder, program)))
        const each = scenariosForEachProgram(slug, scenarios.get(slug)!, mayRun)
        expect(each.length).toBeGreaterThan(0)
        for (const [name, scenario] of process.env['CI'] ? each : each.slice(0, 1)) {
          expect(await onStage(folder, scenario, own!.command)).toBe(output(slug, name))
        }
      })
    },
  )
}

/** Whether a program says that it needs a Node that is newer than the machine's own. */
function needsNewer(file: string): boolean {
  if (!existsSync(file)) return false // a peer, of another page and on the project's Node
  const [major, minor] = versionIn(/needs Node (\d+)\.(\d+)/.exec(readFileSync(file, 'utf8')))
  const [ownMajor, ownMinor] = versionIn(/(\d+)\.(\d+)/.exec(own!.version))
  return major > ownMajor || (major === ownMajor && minor > ownMinor)
}

function versionIn(match: RegExpExecArray | null): [major: number, minor: number] {
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
}

/** The first node in $PATH that did not come with the project, from version 20 on, and how it runs TypeScript. */
function ownNode(): { version: string; command: string[] } | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const path = folders.map((folder) => join(folder, 'node')).find((file) => existsSync(file))
  if (path === undefined) return undefined
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
  const [major, minor] = version.slice(1).split('.').map(Number) as [number, number]
  if (version === process.version || major < 20) return undefined
  return { version, command: major > 22 || (major === 22 && minor >= 18) ? [path] : [path, '--import', 'tsx'] }
}
