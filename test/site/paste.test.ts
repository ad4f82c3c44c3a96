// The paste test: what a reader copies from the rendered pages, put under the names on the tabs into an empty folder, runs and
// prints what the page says. It copies through the page's own buttons and the clipboard of a real browser.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { unzipSync } from 'fflate'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Scenarios, onStage, playable, programsOf, root } from '../support/recordings.ts'
import { launchBrowser, noBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'

/** Files by the path that stands on their tab. */
type Files = Map<string, string>

/** The page that shows posix/ and the package.json that goes with it. */
const POSIX_PAGE = 'tcp-ip/socket-api'

/** The pages with programs, by slug. */
const slugs = globSync('test/**/*.scenarios.ts', { cwd: root })
  .map((file) => file.replace(/^test\//, '').replace(/\.scenarios\.ts$/, ''))
  .toSorted()

async function scenariosOf(slug: string): Promise<Scenarios> {
  const module = (await import(pathToFileURL(join(root, 'test', `${slug}.scenarios.ts`)).href)) as {
    scenarios: Scenarios
  }
  return module.scenarios
}

const scenarios = new Map(await Promise.all(slugs.map(async (slug) => [slug, await scenariosOf(slug)] as const)))

const reason = noBrowser()
if (reason !== undefined) console.warn(`the paste test is skipped: ${reason}`)

/** The Node that the machine itself has, when the one that runs the tests came with the project. */
const ownNode = findOwnNode()

describe.skipIf(reason !== undefined)('pasted from the rendered page', () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serveSite>>
  const reader = join(inject('runFolder'), 'reader')
  const copied = new Map<string, Files>()

  /** A reader's folder for a page: what its tabs say; for system calls package.json and posix/ besides. */
  const folderOf = (slug: string): string => join(reader, slug)
  const posixOf = (files: Files): Files =>
    new Map([...files].filter(([name]) => name === 'package.json' || name.startsWith('posix/')))

  beforeAll(async () => {
    site = await serveSite((await builtSite()).folder)
    browser = await launchBrowser()
    for (const slug of slugs) copied.set(slug, await copyFrom(browser, site.origin, slug))
    const posix = posixOf(copied.get(POSIX_PAGE) ?? new Map())

    // What the page says to do once: package.json, posix/, npm install.
    const installed = join(reader, 'installed')
    write(installed, posix)
    const npm = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', npm, { cwd: installed, env: withoutNpmVariables(), stdio: 'pipe' })

    for (const slug of slugs) {
      const programs = new Map([...copied.get(slug)!].filter(([name]) => !posix.has(name)))
      write(folderOf(slug), programs)
      if (![...programs.values()].some((text) => text.includes("'#posix'"))) continue
      write(folderOf(slug), posix)
      symlinkSync(join(installed, 'node_modules'), join(folderOf(slug), 'node_modules'))
    }
  }, BUILD_LIMIT)

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  describe.each(slugs)('%s', (slug) => {
    test('the copied text is the program, and the archive holds the same', async () => {
      const files = copied.get(slug)!
      expect(files.size).toBeGreaterThan(0)
      for (const [name, text] of files) {
        if (name === 'package.json') continue
        const file = name.startsWith('posix/') ? join(root, 'snippets', name) : join(programsOf(slug), name)
        expect(text.trimEnd(), name).toBe(withoutRegions(readFileSync(file, 'utf8')).trimEnd())
      }

      const response = await fetch(`${site.origin}/archives/${slug.replaceAll('/', '-')}.zip`)
      expect(response.status).toBe(200)
      const archive = unzipSync(new Uint8Array(await response.arrayBuffer()))
      const inArchive = new Map(
        Object.entries(archive).map(([path, bytes]) => [path.replace(/^[^/]+\//, ''), Buffer.from(bytes).toString()]),
      )
      const posix = posixOf(copied.get(POSIX_PAGE)!)
      const usesPosix = [...files.values()].some((text) => text.includes("'#posix'"))
      for (const [name, text] of new Map([...files, ...(usesPosix ? posix : [])])) {
        expect(inArchive.get(name)?.trimEnd(), `${name} in the archive`).toBe(text.trimEnd())
      }
    })

    const names = Object.entries(scenarios.get(slug)!).flatMap(([name, scenario]) => (playable(scenario) ? [name] : []))

    /** The programs that each scenario has started, by their file names. */
    const started = new Map<string, string[]>()

    test.each(names)('%s prints what the page shows', async (name) => {
      const transcript = await onStage(folderOf(slug), scenarios.get(slug)![name]!)
      started.set(name, programsIn(transcript))
      expect(transcript).toBe(output(slug, name))
    })

    test('each of its programs has been run', () => {
      const programs = [...copied.get(slug)!.keys()].filter((name) => /^[^/]+\.ts$/.test(name))
      const run = new Set([...started.values()].flat())
      expect(programs.filter((name) => !run.has(name))).toEqual([])
    })

    // On an old Node a reader starts programs with `node --import tsx`, in the folder with package.json.
    test.skipIf(ownNode === undefined)(
      `each of its programs runs on this machine's own Node (${ownNode?.version ?? 'there is none'})`,
      { timeout: BUILD_LIMIT },
      async () => {
        const folder = `${folderOf(slug)}-on-own-node`
        cpSync(folderOf(slug), folder, { recursive: true, verbatimSymlinks: true })
        if (!existsSync(join(folder, 'package.json'))) {
          write(folder, posixOf(copied.get(POSIX_PAGE)!))
          symlinkSync(join(reader, 'installed', 'node_modules'), join(folder, 'node_modules'))
        }
        const run = new Set<string>()
        for (const name of names) {
          const programs = started.get(name) ?? []
          if (programs.every((file) => run.has(file))) continue // nothing in it that has not run here yet
          expect(await onStage(folder, scenarios.get(slug)![name]!, ownNode!.command)).toBe(output(slug, name))
          for (const file of programs) run.add(file)
        }
      },
    )
  })
})

function output(slug: string, name: string): string {
  return readFileSync(join(programsOf(slug), `${name}.out`), 'utf8')
}

function programsIn(transcript: string): string[] {
  return [...transcript.matchAll(/\$ .*?node (\S+\.ts)/g)].map(([, file]) => file!)
}

/** Clicks the copy button of each file in the code groups of a page, and reads the clipboard. */
async function copyFrom(browser: Browser, origin: string, slug: string): Promise<Files> {
  const context = await browser.newContext()
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
    const page = await context.newPage()
    await page.goto(`${origin}/${slug}.html`, { waitUntil: 'networkidle' })
    const files: Files = new Map()
    for (const group of await page.locator('.vp-code-group').all()) {
      const labels = await group.locator('.tabs label').allTextContents()
      for (const [i, label] of labels.entries()) {
        if (!/\.(?:ts|json)$/.test(label)) continue
        const block = group.locator('.blocks > div[class*="language-"]').nth(i)
        const before = await page.evaluate<string>(
          'navigator.clipboard.writeText("").then(() => navigator.clipboard.readText())',
        )
        expect(before).toBe('')
        await block.locator('button.copy').dispatchEvent('click')
        await block.locator('button.copy.copied').waitFor({ state: 'attached' }) // set when the clipboard has the text
        files.set(label, await page.evaluate<string>('navigator.clipboard.readText()'))
      }
    }
    return files
  } finally {
    await context.close()
  }
}

function write(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** A file as the page shows it: the lines that mark regions are left out. */
function withoutRegions(text: string): string {
  return text.replaceAll(/^[ \t]*\/\/ #(?:end)?region.*\n/gm, '')
}

function withoutNpmVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV)/.test(name)))
}

function findOwnNode(): { version: string; command: string[] } | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const path = folders.map((folder) => join(folder, 'node')).find((file) => existsSync(file))
  if (path === undefined) return undefined
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
  const [major, minor] = version.slice(1).split('.').map(Number) as [number, number]
  if (version === process.version || major < 20) return undefined
  return { version, command: major > 22 || (major === 22 && minor >= 18) ? [path] : [path, '--import', 'tsx'] }
}
