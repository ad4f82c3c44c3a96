// What the test files of one run share: a folder, removed when the run ends, and what else the run does.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { noBrowser } from '../site/browser.ts'
import { compileAll } from './compiled.ts'

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'live-sockets-'))
  project.provide('runFolder', folder)
  compileAll(
    ['../../snippets', '../posix/programs'].map((path) => join(import.meta.dirname, path)),
    folder,
  )
  project.provide('pastes', isWhole(process.argv.slice(2)) && noBrowser() === undefined)
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Whether these arguments of Vitest ask for all tests and for nothing else: no file, no name, no new recording. */
function isWhole(args: string[]): boolean {
  return args.filter((arg, i) => arg !== 'run' && arg !== '--config' && args[i - 1] !== '--config').length === 0
}
