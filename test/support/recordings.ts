// `test` with a stage, and the tests that keep a page's outputs true.

import { join } from 'node:path'
import { test as base, describe, expect } from 'vitest'
import { type Stage, createStage } from './stage.ts'

/** Scenarios by the name of the output they write: `second-client` writes `second-client.out`. */
export type Scenarios = Record<string, (stage: Stage) => Promise<void>>

/** The root of the project. */
export const root = join(import.meta.dirname, '..', '..')

/** The folder with the programs of a page. */
export function programsOf(slug: string): string {
  return join(root, 'snippets', slug)
}

/** Runs `act` on a stage; the stage is cleared in the end, and what is left on it is an error. */
export async function onStage(
  folder: string,
  act: (stage: Stage) => Promise<void>,
  node?: readonly string[],
): Promise<string> {
  const stage = createStage(node === undefined ? { folder } : { folder, node })
  try {
    await act(stage)
  } catch (reason) {
    await stage.close().catch(() => {}) // the first error is the one to tell
    throw reason
  }
  await stage.close()
  return stage.transcript.toString()
}

/** Tests of a page's programs: `test` takes the stage on which they play. */
export function testsOf(slug: string) {
  return base.extend<{ stage: Stage }>({
    // oxlint-disable-next-line no-empty-pattern -- Vitest reads the parameters to know which fixtures are needed
    stage: async ({}, use) => {
      await onStage(programsOf(slug), use)
    },
  })
}

/** One test for each scenario: what it prints is what stands beside the program. */
export function recordings(slug: string, scenarios: Scenarios): void {
  describe('what the page shows was printed', () => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      base(`${name}.out`, async () => {
        const transcript = await onStage(programsOf(slug), scenario)
        await expect(transcript).toMatchFileSnapshot(join(programsOf(slug), `${name}.out`))
      })
    }
  })
}
