// How long a program may take to stop.

import { readFileSync, readdirSync } from 'node:fs'
import type { Program } from './program.ts'
import type { Exit } from './spawn.ts'

/** From a signal to the end of the program, in milliseconds. */
const STOP_LIMIT = 1000

const TICK = 50 // milliseconds

/**
 * Sends a signal that stops a program, and resolves with how it has ended. What it and those that it has started wait for a processor,
 * because of other tests, is not their time: it is taken off, tick by tick. On Linux only.
 */
export async function stopped(program: Program, signal: NodeJS.Signals): Promise<Exit> {
  program.kill(signal)
  let left = STOP_LIMIT
  let waited: ReadonlyMap<string, number> | undefined
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = waitsForProcessor(program.pid)
      left -= Math.max(0, TICK - (waited === undefined ? 0 : increase(waited, now)))
      waited = now
      if (left <= 0) reject(new Error(`${program.lane} did not stop within ${STOP_LIMIT} ms of ${signal}`))
    }, TICK)
  })
  try {
    return await Promise.race([program.ended, limit])
  } finally {
    clearInterval(timer)
  }
}

function increase(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  return [...now].reduce((sum, [thread, waited]) => sum + waited - (before.get(thread) ?? 0), 0)
}

/** How long each thread of a process and of its children has been ready to run while others ran, in milliseconds. proc(5), schedstat */
function waitsForProcessor(pid: number, waits = new Map<string, number>()): ReadonlyMap<string, number> {
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const task = `/proc/${pid}/task/${tid}`
      waits.set(tid, Number(readFileSync(`${task}/schedstat`, 'latin1').split(' ')[1]) / 1e6)
      const children = readFileSync(`${task}/children`, 'latin1').match(/\d+/g) ?? []
      for (const child of children) waitsForProcessor(Number(child), waits)
    }
  } catch {
    // It has ended meanwhile, or the kernel does not tell.
  }
  return waits
}
