// `test` with a stage, and the tests that keep a page's outputs true.

import { join } from 'node:path'
import { test as base, describe, expect } from 'vitest'
import { type Where, placeOrSkip } from './namespace.ts'
import { type Stage, createStage } from './stage.ts'

/** What happens on a stage. */
export type Act = (stage: Stage) => Promise<void>

/** An act, and where it plays if it needs other rights than those of an ordinary user. */
export type Scenario = Act | { where: Where; act: Act }

/** Scenarios by the name of the output they write: `second-client` writes `second-client.out`. */
export type Scenarios = Record<string, Scenario>

/** The root of the project. */
export const root = join(import.meta.dirname, '..', '..')

/** The folder with the programs of a page. */
export function programsOf(slug: string): string {
  return join(root, 'snippets', slug)
}

/**
 * Plays a scenario with the programs of a folder and returns the transcript. The stage is cleared in the end, and what is
 * left on it is an error.
 */
export async function onStage(folder: string, scenario: Scenario, node?: readonly string[]): Promise<string> {
  const { prefix, act } = typeof scenario === 'function' ? { prefix: [], act: scenario } : placed(scenario)
  const stage = createStage({ folder, prefix, ...(node !== undefined && { node }) })
  try {
    await act(stage)
  } catch (reason) {
    await stage.close().catch(() => {}) // the first error is the one to tell
    throw reason
  }
  await stage.close()
  return stage.transcript.toString()
}

function placed({ where, act }: Exclude<Scenario, Act>): { prefix: readonly string[]; act: Act } {
  const place = placeOrSkip(where)
  if (place === undefined) throw new Error(`cannot run ${where}`)
  return { prefix: place.prefix, act }
}

/** Whether a scenario can be played on this machine; if not, why was said on standard error. */
export function playable(scenario: Scenario): boolean {
  return typeof scenario === 'function' || placeOrSkip(scenario.where) !== undefined
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
      base.skipIf(!playable(scenario))(`${name}.out`, async () => {
        const transcript = await onStage(programsOf(slug), scenario)
        await expect(transcript).toMatchFileSnapshot(join(programsOf(slug), `${name}.out`))
      })
    }
  })
}
