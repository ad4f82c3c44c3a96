// How long a program may take to stop.

import { processorWaits, stolen } from './blocked.ts'
import { descendants } from './leaks.ts'
import type { Program } from './program.ts'
import type { Exit } from './spawn.ts'
import { within } from './within.ts'

/** From a signal to the end of the program, in milliseconds. */
const STOP_LIMIT = 1000

/**
 * Sends a signal that stops a program, and resolves with how it has ended. What it and those that it has started wait for a processor,
 * because of other tests, is not their time, nor is that of a processor which the host of a virtual machine has taken. On Linux only.
 */
export async function stopped(program: Program, signal: NodeJS.Signals): Promise<Exit> {
  let before: { waits: ReadonlyMap<number, number>; taken: number[] } | undefined
  const excused = (): number => {
    const now = { waits: processorWaits([program.pid, ...descendants(program.pid)]), taken: stolen() }
    const then = before ?? now
    before = now
    const waited = [...now.waits].reduce((all, [tid, wait]) => all + wait - (then.waits.get(tid) ?? 0), 0)
    const taken = Math.max(0, ...now.taken.map((time, i) => time - (then.taken[i] ?? time)))
    return waited + taken
  }
  program.kill(signal)
  return await within(program.ended, `${program.lane} to stop on ${signal}`, STOP_LIMIT, excused).catch(
    (reason: Error) => {
      throw new Error(`${reason.message}: ${program.whereabouts()}`)
    },
  )
}
