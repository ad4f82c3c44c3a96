import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { lastLine } from './support/reporter.ts'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false, // the programs are what has to be started anew, not the modules of the tests
    // Tests start programs of their own, so that two files at a time fill two cores.
    maxWorkers: 3,
    globalSetup: ['test/support/run-folder.ts'],
    testTimeout: 20_000,
    reporters: ['default', lastLine()],
  },
})
