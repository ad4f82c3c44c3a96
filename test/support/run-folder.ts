// A folder for what the test files of one run share, removed when the run ends.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    runFolder: string
  }
}

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'live-sockets-'))
  project.provide('runFolder', folder)
  // The programs of the book are started hundreds of times. What Node compiles of them is kept for the run, which halves the
  // time that each takes to start; they behave the same.
  process.env['PROGRAMS_COMPILE_CACHE'] = join(folder, 'compile-cache')
  return () => rmSync(folder, { recursive: true, force: true })
}
