// The paste test: what a reader copies from the rendered pages, put under the names on the tabs into an empty folder, runs and
// prints what the page says. It was copied through the pages' own buttons and the clipboard of a real browser.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Act,
  alone,
  isSlow,
  onStage,
  output,
  playable,
  programsIn,
  programsOf,
  root,
  scenariosForEachProgram,
} from '../support/recordings.ts'
import { noBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'
import {
  type PasteFile,
  type Pasted,
  folderFor,
  folderOf,
  pastedBook,
  programsOn,
  scenarios,
  slugsOf,
  usesPosix,
  withStarted,
} from './pasted.ts'

const reason = noBrowser()
if (reason !== undefined) console.warn(`the paste test is skipped: ${reason}`)

/** The tests of every third page. */
export function pasteTests(file: PasteFile): void {
  describe.skipIf(reason !== undefined)('pasted from the rendered page', () => {
    pasted(slugsOf(file))
  })
}

function pasted(slugs: readonly string[]): void {
  let copies: Pasted
  let site: Awaited<ReturnType<typeof serveSite>>

  beforeAll(async () => {
    copies = await pastedBook()
    site = await serveSite((await builtSite()).folder)
  }, BUILD_LIMIT)

  afterAll(async () => {
    await site?.close()
  })

  describe.each(slugs)('%s', (slug) => {
    test('the copied text is the program, and the archive holds the same', async () => {
      const files = copies.copied[slug]!
      for (const [name, text] of Object.entries(files)) {
        if (name === 'package.json') continue
        const file = name.startsWith('posix/') ? join(root, 'snippets', name) : join(programsOf(slug), name)
        expect(text.trimEnd(), name).toBe(withoutRegions(readFileSync(file, 'utf8')).trimEnd())
      }

      const response = await fetch(`${site.origin}/archives/${slug.replaceAll('/', '-')}.zip`)
      expect(response.status).toBe(200)
      const archive = unzipSync(new Uint8Array(await response.arrayBuffer()))
      const packed = Object.fromEntries(
        Object.entries(archive).map(([path, bytes]) => [path.replace(/^[^/]+\//, ''), Buffer.from(bytes).toString()]),
      )
      const expected = { ...files, ...(Object.values(files).some(usesPosix) && copies.posix) }
      for (const [name, text] of Object.entries(expected)) {
        expect(packed[name]?.trimEnd(), `${name} in the archive`).toBe(text.trimEnd())
      }
    })

    test('each of its programs is there', () => {
      const copied = Object.keys(copies.copied[slug]!).filter((name) => /^[^/]+\.ts$/.test(name))
      expect(copied.toSorted()).toEqual(programsOn(slug).toSorted())
    })

    for (const [name, scenario] of scenariosForEachProgram(slug, scenarios.get(slug)!)) {
      test(`${name} prints what the page shows`, async () => {
        expect(await onStage(folderFor(slug, name, copies), scenario)).toBe(output(slug, name))
      })
    }

    // What is slow plays elsewhere, on the same text; here it starts, and stops on SIGTERM.
    for (const [name, scenario] of Object.entries(scenarios.get(slug)!)) {
      if (!isSlow(scenario) || !playable(scenario) || !existsSync(join(programsOf(slug), `${name}.out`))) continue
      for (const file of programsIn(output(slug, name))) {
        test(`${file} starts`, async () => {
          const starts: Act = async (stage) => void (await stage.start('program', file).line())
          await onStage(folderFor(slug, name, copies), { ...scenario, act: starts })
        })
      }
    }

    // What prints other numbers each time has no scenario; it has a table, and here it runs.
    for (const name of withoutScenario(slug)) {
      test(`${name} runs`, async () => {
        await onStage(folderOf(slug), alone(name))
      })
    }
  })
}

/** The programs of a page that no scenario starts, nor any program that one starts. */
function withoutScenario(slug: string): string[] {
  const files = Object.fromEntries(
    programsOn(slug).map((name) => [name, readFileSync(join(programsOf(slug), name), 'utf8')]),
  )
  const names = Object.keys(scenarios.get(slug)!).filter((name) => existsSync(join(programsOf(slug), `${name}.out`)))
  const run = withStarted(
    names.flatMap((name) => programsIn(output(slug, name))),
    files,
  )
  return programsOn(slug).filter((name) => !run.includes(name))
}

/** A file as the page shows it: the lines that mark regions are left out. */
function withoutRegions(text: string): string {
  return text.replaceAll(/^[ \t]*\/\/ #(?:end)?region.*\n/gm, '')
}
