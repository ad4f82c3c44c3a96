// How long a program may take to stop.

import { type Share, shares } from './blocked.ts'
import { descendants } from './leaks.ts'
import type { Program } from './program.ts'
import type { Exit } from './spawn.ts'
import { within } from './within.ts'

/** From a signal to the end of the program, in milliseconds. */
const STOP_LIMIT = 1000

/**
 * Sends a signal that stops a program, and resolves with how it has ended. What it and those that it has started wait for a processor,
 * because of other tests or of other virtual machines, is not their time. On Linux only.
 */
export async function stopped(program: Program, signal: NodeJS.Signals): Promise<Exit> {
  const sums = { ran: 0, waited: 0 }
  let then: { at: number; threads: ReadonlyMap<number, Share> } | undefined
  // Asked for the first time after the first tick: most have ended by then, and when one whose threads have been looked at ends, the
  // kernel has to take all that back.
  const excused = (): number => {
    const now = { at: performance.now(), threads: shares([program.pid, ...descendants(program.pid)]) }
    const before = then ?? now
    then = now
    let [isReady, ran, waited] = [false, 0, 0]
    for (const [tid, share] of now.threads) {
      const last = before.threads.get(tid)
      isReady ||= share.ready
      ran += share.ran - (last?.ran ?? 0)
      waited += share.waited - (last?.waited ?? 0)
    }
    // The kernel counts a wait when it is over. Of one that is not, it is known only that nobody has run.
    if (isReady) waited = Math.max(waited, now.at - before.at - ran)
    sums.ran += ran
    sums.waited += waited
    return waited
  }
  program.kill(signal)
  return await within(program.ended, `${program.lane} to stop on ${signal}`, STOP_LIMIT, excused).catch(
    (reason: Error) => {
      const had = `its threads have run for ${Math.round(sums.ran)} ms and waited to run for ${Math.round(sums.waited)} ms`
      throw new Error(`${reason.message}: ${had}, ${program.whereabouts()}`)
    },
  )
}
