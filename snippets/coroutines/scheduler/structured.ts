// Sleep, timeout, cancel, and tasks that do not outlive what has started them. The scheduler is
// given a clock of its own, in which no time passes but that which it waits for.

import type { Poller } from '#posix'
import { type Coroutine, Scheduler, type Task, scope, sleep, timeout } from './scheduler.ts'

// #region clock
let time = 0 // milliseconds
const poller: Poller = {
  watch() {},
  wait(timeout) {
    time += timeout // nothing is ever ready, so each wait lasts as long as it may
    return 0
  },
  close() {},
}

function tell(what: string): void {
  console.log(`${String(time).padStart(4)}  ${what}`)
}
// #endregion clock

// #region work
/** Works for so long, says how it ended, and takes 5 ms to clean up. */
function* work(name: string, ms: number): Coroutine<string> {
  try {
    yield* sleep(ms)
    tell(`${name} is done`)
    return `what ${name} has made`
  } catch (error) {
    tell(`${name} catches ${String(error)}`)
    throw error
  } finally {
    yield* sleep(5)
    tell(`${name} has cleaned up`)
  }
}
// #endregion work

/** Two at once, and both results. */
function* both(): Coroutine<void> {
  const results = yield* scope(function* (inner) {
    const a = inner.spawn(work('a', 10), 'a')
    const b = inner.spawn(work('b', 20), 'b')
    return [yield* a.join(), yield* b.join()] as const
  })
  tell(`both: ${results.join(' and ')}`)
}

// #region cancel
/** One that is not wanted any more. */
function* changesItsMind(): Coroutine<void> {
  yield* scope(function* (inner) {
    const task: Task<string> = inner.spawn(work('c', 1000), 'c')
    yield* sleep(10)
    task.cancel()
    tell('c is cancelled')
  })
  tell('and gone')
}
// #endregion cancel

/** One that takes too long. */
function* impatient(): Coroutine<void> {
  try {
    yield* timeout(10, work('d', 1000))
  } catch (error) {
    tell(String(error))
  }
}

// #region failure
function* fails(): Coroutine<never> {
  yield* sleep(10)
  tell('e fails')
  throw new Error('no luck')
}

/** One that fails, with a sibling that would work for long. */
function* oneFails(): Coroutine<void> {
  try {
    yield* scope(function* (inner) {
      inner.spawn(work('f', 1000), 'f')
      inner.spawn(fails(), 'e')
    })
  } catch (error) {
    tell(`the scope throws ${String(error)}`)
  }
}
// #endregion failure

for (const coroutine of [both, changesItsMind, impatient, oneFails]) {
  time = 0
  console.log(`  ms  ${coroutine.name}`)
  const scheduler = new Scheduler({ poller, now: () => time })
  scheduler.new(coroutine(), coroutine.name)
  scheduler.run()
}
