// How long a program may take to stop.

import { processorWaits } from './blocked.ts'
import { descendants } from './leaks.ts'
import type { Program } from './program.ts'
import type { Exit } from './spawn.ts'
import { within } from './within.ts'

/** From a signal to the end of the program, in milliseconds. */
const STOP_LIMIT = 1000

/**
 * Sends a signal that stops a program, and resolves with how it has ended. What it and those that it has started wait for a processor,
 * because of other tests, is not their time. On Linux only.
 */
export async function stopped(program: Program, signal: NodeJS.Signals): Promise<Exit> {
  let before: ReadonlyMap<number, number> | undefined
  const waited = (): number => {
    const now = processorWaits([program.pid, ...descendants(program.pid)])
    const more = [...now].map(([tid, wait]) => wait - (before?.get(tid) ?? 0))
    const sum = before === undefined ? 0 : more.reduce((all, one) => all + one, 0)
    before = now
    return sum
  }
  program.kill(signal)
  return await within(program.ended, `${program.lane} to stop on ${signal}`, STOP_LIMIT, waited)
}
