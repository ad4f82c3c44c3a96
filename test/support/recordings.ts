// `test` with a stage, and the tests that keep a page's outputs true.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, describe, expect, inject } from 'vitest'
import { type Where, placeOrSkip } from './namespace.ts'
import { type Stage, createStage } from './stage.ts'

/** What run-folder.ts provides to the test files of a run. */
declare module 'vitest' {
  interface ProvidedContext {
    runFolder: string
    /** Whether the paste test runs too, on the programs as a browser has copied them. */
    pastes: boolean
  }
}

/** How long a slow scenario may take, in milliseconds: a minute that is the subject, and another for a busy machine. */
const SLOW_LIMIT = 120_000

/** What happens on a stage. */
export type Act = (stage: Stage) => Promise<void>

/** An act, where it plays if it needs other rights than those of an ordinary user, and whether it takes so long that one is enough. */
export type Scenario = Act | { where?: Where; slow?: boolean; act: Act }

/** Scenarios by the name of the output they write: `second-client` writes `second-client.out`. */
export type Scenarios = Record<string, Scenario>

/** A program that needs nobody else: it is run to its end. */
export function alone(file: string, ...args: (string | number)[]): Act {
  return (stage) => stage.run('program', file, ...args)
}

/** The same in a network of its own, in which it is root. */
export function aloneAsRoot(file: string, ...args: (string | number)[]): Scenario {
  return { where: 'in a network namespace', act: alone(file, ...args) }
}

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
  if (where === undefined) return { prefix: [], act }
  const place = placeOrSkip(where)
  if (place === undefined) throw new Error(`cannot run ${where}`)
  return { prefix: place.prefix, act }
}

/** Whether a scenario can be played on this machine; if not, why was said on standard error. */
export function playable(scenario: Scenario): boolean {
  const where = typeof scenario === 'function' ? undefined : scenario.where
  return where === undefined || placeOrSkip(where) !== undefined
}

/** Whether it takes so long that it plays once in a run: beside everything else, and not again on the pasted programs. */
export function isSlow(scenario: Scenario): scenario is Exclude<Scenario, Act> {
  return typeof scenario !== 'function' && scenario.slow === true
}

/** What a page shows that a scenario printed. */
export function output(slug: string, name: string): string {
  return readFileSync(outputFile(slug, name), 'utf8')
}

function outputFile(slug: string, name: string): string {
  return join(programsOf(slug), `${name}.out`)
}

/** The programs that a scenario started, from its transcript. */
export function programsIn(transcript: string): string[] {
  return [...transcript.matchAll(/\$ .*?node (\S+\.ts)/g)].map(([, file]) => file!)
}

/**
 * The scenarios of a page that it takes to run each of its programs, in order: one that runs none that has not run before is left
 * out, and so is one that has not been recorded yet, or is slow.
 */
export function scenariosForEachProgram(
  slug: string,
  scenarios: Scenarios,
  may: (name: string) => boolean = () => true,
): [string, Scenario][] {
  const run = new Set<string>()
  return Object.entries(scenarios).filter(([name, scenario]) => {
    if (isSlow(scenario) || !existsSync(outputFile(slug, name))) return false
    const programs = programsIn(output(slug, name))
    if (programs.every((file) => run.has(file)) || !playable(scenario) || !may(name)) return false
    for (const file of programs) run.add(file)
    return true
  })
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

/**
 * One test for each scenario: what it prints is what stands beside the program. In a run of the whole suite some play on the pasted
 * programs in place of these, which are the same to the letter: test/site/paste.ts.
 */
export function recordings(slug: string, scenarios: Scenarios): void {
  const onPasted = new Set(inject('pastes') ? scenariosForEachProgram(slug, scenarios).map(([name]) => name) : [])
  const own = Object.entries(scenarios).filter(([name]) => !onPasted.has(name))
  describe.skipIf(own.length === 0)('what the page shows was printed', () => {
    for (const [name, scenario] of own) {
      const limit = isSlow(scenario) ? [SLOW_LIMIT] : []
      base.skipIf(!playable(scenario))(
        `${name}.out`,
        async () => {
          const transcript = await onStage(programsOf(slug), scenario)
          await expect(transcript).toMatchFileSnapshot(outputFile(slug, name))
        },
        ...limit,
      )
    }
  })
}
