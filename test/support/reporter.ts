// The last line of a run, for people and machines alike: `N passed, N failed`, and `, N skipped` when there are any.

import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Counts the tests of a run. What fails outside a test counts as one failure each: a file that does not load, a hook of a
 * file or of a group, an error that nobody caught.
 */
export function count(modules: readonly TestModule[], uncaught: readonly SerializedError[]): Counts {
  const counts = { passed: 0, failed: uncaught.length, skipped: 0 }
  for (const module of modules) {
    counts.failed += module.errors().length
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      // A test is still pending when the run was interrupted before it.
      counts[state === 'pending' ? 'skipped' : state]++
    }
  }
  return counts
}

export function line({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Prints the line last: when the process ends, after everything that other reporters print. */
export function lastLine(): Reporter {
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  return {
    onInit(vitest) {
      if (vitest.config.watch) return
      process.once('exit', (status) => {
        // A run that fails for yet another reason, such as no test file at all, must not read as a clean one.
        if (status !== 0 && counts.failed === 0) counts.failed = 1
        console.log(line(counts))
      })
    },
    onTestRunEnd(modules, uncaught) {
      counts = count(modules, uncaught)
    },
  }
}
