// Cancellation by AbortSignal: what the callee has to do for it, what happens if it does not, and
// the same with a generator, which need not be asked.

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

const HOUR = 3_600_000 // milliseconds

// #region passes-it-on
async function passesItOn(signal: AbortSignal): Promise<void> {
  try {
    await sleep(HOUR, undefined, { signal })
  } finally {
    tell('finally')
  }
}

title('a limit')
const user = new AbortController()
const either = AbortSignal.any([AbortSignal.timeout(20), user.signal])
await passesItOn(either).catch(tellWhy)

title('by hand, or a limit')
queueMicrotask(() => user.abort(new Error('Ctrl+C')))
await passesItOn(AbortSignal.any([AbortSignal.timeout(HOUR), user.signal])).catch(tellWhy)
// #endregion passes-it-on

// #region ignores
async function ignores(work: Promise<void>): Promise<void> {
  await work
  tell('the work is done all the same')
}

title('a callee that does not take the signal')
{
  const controller = new AbortController()
  const { signal } = controller
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  let finish = (): void => {}
  const running = ignores(new Promise((resolve) => (finish = resolve)))
  controller.abort()
  await Promise.race([running, aborted]).catch(tellWhy)
  tell('the caller goes on')
  finish()
  await running
}
// #endregion ignores

// #region swallows
async function retries(signal: AbortSignal): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    try {
      return await sleep(HOUR, undefined, { signal })
    } catch {
      tell(`attempt ${attempt} has failed`)
    }
  }
  tell('returns as if nothing had happened')
}

title('a callee that catches everything')
await retries(AbortSignal.abort())
// #endregion swallows

// #region cleans-up
async function cleansUp(signal: AbortSignal, ofCleanup?: AbortSignal): Promise<void> {
  try {
    await sleep(HOUR, undefined, { signal })
  } finally {
    await turn(undefined, { signal: ofCleanup }) // says goodbye to the peer, for instance
    tell('cleaned up')
  }
}

title('a cleanup under the same signal')
const stopped = AbortSignal.abort()
await cleansUp(stopped, stopped).catch(tellWhy)
title('a cleanup without it')
await cleansUp(stopped).catch(tellWhy)
// #endregion cleans-up

// #region generator
function* waits(): Generator<string, void> {
  try {
    yield 'waits'
  } finally {
    tell('finally')
  }
}

function* retrying(): Generator<string, void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    try {
      return yield* waits()
    } catch {
      tell(`attempt ${attempt} has failed`)
    }
  }
}

title('a generator that knows of no signal, and catches everything')
const task = retrying()
tell(String(task.next().value))
tell(`ended: ${task.return().done}`)
// #endregion generator

function title(text: string): void {
  console.log(text)
}

function tell(text: string): void {
  console.log(`  ${text}`)
}

function tellWhy({ name, cause }: Error): void {
  const reason = cause as Error | undefined
  if (reason === undefined) tell(name)
  else tell(`${name}, because of ${reason.name === 'Error' ? reason.message : reason.name}`)
}
