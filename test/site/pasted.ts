// The book as a reader has it: what the pages' copy buttons put on the clipboard, in folders, under the names on the tabs.

import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inject } from 'vitest'
import { compileAll } from '../support/compiled.ts'
import { onceInRun } from '../support/once.ts'
import { type Scenarios, output, programsIn, programsOf, root } from '../support/recordings.ts'
import { BUILD_LIMIT } from './built-site.ts'
import type { Files } from './copy.ts'
import { visitedSite } from './visit.ts'

/** The page that shows posix/ and the package.json that goes with it. */
const POSIX_PAGE = 'tcp-ip/socket-api'

/** The pages with programs, by slug, and the scenarios that play on them. */
export const scenarios: ReadonlyMap<string, Scenarios> = new Map(
  await Promise.all(
    globSync('test/**/*.scenarios.ts', { cwd: root })
      .map((file) => file.replace(/^test\//, '').replace(/\.scenarios\.ts$/, ''))
      .toSorted()
      .map(async (slug) => {
        const file = pathToFileURL(join(root, 'test', `${slug}.scenarios.ts`)).href
        return [slug, ((await import(file)) as { scenarios: Scenarios }).scenarios] as const
      }),
  ),
)

/** How many files share the pages, so that they run side by side: paste-1.test.ts and so on. */
const FILES = 3

export type PasteFile = 1 | 2 | 3

/** The pages of one of these files: every third. */
export function slugsOf(file: PasteFile): string[] {
  return [...scenarios.keys()].filter((_, i) => i % FILES === file - 1)
}

export interface Pasted {
  /** The files of each page, by slug. */
  copied: Record<string, Files>
  /** package.json and posix/, which the pages tell the reader to get from one of them. */
  posix: Files
}

/** Makes the readers' folders from what was copied from the pages; once in a run. */
export async function pastedBook(): Promise<Pasted> {
  return await onceInRun('pasted', BUILD_LIMIT, async () => {
    const visits = await visitedSite()
    const copied = Object.fromEntries([...scenarios.keys()].map((slug) => [slug, visits[`/${slug}.html`]?.files ?? {}]))
    const isPosix = ([name]: [string, string]) => name === 'package.json' || name.startsWith('posix/')
    const posix = Object.fromEntries(Object.entries(copied[POSIX_PAGE] ?? {}).filter(isPosix))

    // What the page says to do once: package.json, posix/, npm install.
    write(installed(), posix)
    const npm = ['install', '--prefer-offline', '--fetch-timeout=60000', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', npm, { cwd: installed(), env: readersEnvironment(), stdio: 'pipe', timeout: 180_000 })

    for (const slug of scenarios.keys()) {
      const programs = Object.entries(copied[slug]!).filter((file) => !isPosix(file))
      write(folderOf(slug), Object.fromEntries(programs))
      addPosix(folderOf(slug), posix)
      write(bareFolderOf(slug), Object.fromEntries(programs.filter(([name]) => !needPosix([name], copied[slug]!))))
    }
    compileAll(
      [...scenarios.keys()].flatMap((slug) => [folderOf(slug), bareFolderOf(slug)]),
      inject('runFolder'),
    )
    return { copied, posix }
  })
}

/** A reader's folder for a page: its programs with package.json, posix/ and node_modules. */
export function folderOf(slug: string): string {
  return join(inject('runFolder'), 'reader', slug)
}

/** Another one, for its programs on node: modules alone: there is nothing beside them. */
function bareFolderOf(slug: string): string {
  return `${folderOf(slug)}-bare`
}

/** Where a scenario plays: with nothing beside the programs, if neither they nor those that they start need more. */
export function folderFor(slug: string, name: string, { copied }: Pasted): string {
  return needPosix(programsIn(output(slug, name)), copied[slug]!) ? folderOf(slug) : bareFolderOf(slug)
}

function needPosix(programs: readonly string[], files: Files): boolean {
  return withStarted(programs, files).some((file) => usesPosix(files[file] ?? ''))
}

/** Programs and those that they start, which they name: `'./reverse-lines.ts'`. */
export function withStarted(programs: readonly string[], files: Files): string[] {
  const all = new Set(programs)
  for (const program of all) {
    for (const name of Object.keys(files)) if (files[program]?.includes(`'./${name}'`)) all.add(name) // and it is walked as well
  }
  return [...all]
}

/** A page's programs, by the names of their files. */
export function programsOn(slug: string): string[] {
  return globSync('*.ts', { cwd: programsOf(slug) })
}

export function usesPosix(text: string): boolean {
  return text.includes("'#posix'")
}

/**
 * A reader's environment: what npm and Vitest have put in ours stays out. Where the machine keeps npm's settings and whom it trusts
 * stays: npm looks for its global settings beside the Node that runs it, and that one is the project's here.
 */
function readersEnvironment(): NodeJS.ProcessEnv {
  const isTheMachines = (name: string): boolean =>
    ['NODE_EXTRA_CA_CERTS', 'npm_config_globalconfig', 'npm_config_userconfig'].includes(name)
  const isOurs = (name: string): boolean => /^(npm_|VITEST|NODE_)/.test(name) && !isTheMachines(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}

/** Where npm install has been run for all of them. */
function installed(): string {
  return join(inject('runFolder'), 'reader', 'installed')
}

function addPosix(folder: string, posix: Files): void {
  write(folder, posix)
  symlinkSync(join(installed(), 'node_modules'), join(folder, 'node_modules'))
}

function write(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}
