// An upper bound for what a test waits for, so that a program that never answers fails the test that waits, by name. Four files of
// tests share two cores, and what takes three seconds of processor time alone takes ten there.

import { setTimeout } from 'node:timers/promises'

export const LIMIT = 25_000

const TICK = 50 // milliseconds

/**
 * Waits for `promise`, and for no longer than `milliseconds`. They are counted in ticks of this process's own timer: when the
 * machine stands still for a while, as a virtual one may, so does this clock, and nobody is blamed for the pause.
 * @param excused how many milliseconds since it was last asked do not count; asked with each tick
 */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  milliseconds = LIMIT,
  excused = (): number => 0,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    let left = milliseconds
    timer = setInterval(() => {
      left -= Math.max(0, TICK - excused())
      if (left <= 0) reject(new Error(`waited ${milliseconds} ms for ${what}`))
    }, TICK)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearInterval(timer)
  }
}

/** How often a condition is looked at that no event tells, in milliseconds. */
const LOOK = 1

/** Waits until a condition holds of which no event tells, such as a state in the kernel: it is looked at until it does. */
export async function until(condition: () => boolean, what: string, milliseconds = LIMIT): Promise<void> {
  let over = false
  const holds = async (): Promise<void> => {
    while (!over && !condition()) await setTimeout(LOOK)
  }
  await within(holds(), what, milliseconds).finally(() => (over = true))
}
