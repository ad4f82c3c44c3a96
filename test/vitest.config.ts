import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { lastLine } from './support/reporter.ts'

/**
 * What sleeps for a minute, before everything else. Then the pages, for they take longest, and the copies that are made there
 * meanwhile are what the paste tests wait for. Last what is short, so that no processor has nothing to do while another has much.
 */
class PagesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      if (moduleId.endsWith('test/tcp-ip/protocol/time-wait.test.ts')) return -1
      if (moduleId.endsWith('test/site/pages.test.ts')) return 0
      if (moduleId.includes('test/site/paste')) return 2
      return moduleId.includes('test/posix/') ? 3 : 1
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
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
    setupFiles: ['test/support/compile-cache.ts'],
    testTimeout: 60_000, // more than LIMIT on a busy machine, so that a wait in vain is told by name
    hookTimeout: 60_000,
    reporters: ['default', lastLine()],
  },
})
