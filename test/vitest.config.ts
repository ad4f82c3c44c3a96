import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { lastLine } from './support/reporter.ts'

/** The pages first: they take longest, for a browser looks at all of them, and so does the build that others wait for. */
class PagesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const first = (file: TestSpecification): number => (file.moduleId.endsWith('test/site/pages.test.ts') ? 0 : 1)
    return sorted.toSorted((a, b) => first(a) - first(b))
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false, // the programs are what has to be started anew, not the modules of the tests
    // Tests start programs and wait for them, so that four files at a time fill two cores.
    maxWorkers: 4,
    sequence: { sequencer: PagesFirst },
    globalSetup: ['test/support/run-folder.ts'],
    testTimeout: 20_000,
    reporters: ['default', lastLine()],
  },
})
