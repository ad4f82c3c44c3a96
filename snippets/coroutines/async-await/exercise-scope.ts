// A scope for async functions: nothing that was started in it outlives it, and one failure ends
// all of it.

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

const HOUR = 3_600_000 // milliseconds

// #region scope
type Work<T> = (signal: AbortSignal) => Promise<T>
type Spawn = (work: Work<void>) => void

/**
 * Runs `body`, and ends when all that it has spawned has ended. Throws the first error. In another
 * scope it is given that one's signal, so that who is aborted takes its children along.
 */
async function scope<T>(
  body: (spawn: Spawn, signal: AbortSignal) => Promise<T>,
  around?: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  const own = controller.signal
  const signal = around === undefined ? own : AbortSignal.any([around, own])
  const children = new Set<Promise<void>>()
  const errors: unknown[] = []
  let over = false

  async function guarded(work: Work<void>): Promise<void> {
    try {
      await work(signal)
    } catch (error) {
      errors.push(error)
      controller.abort(error)
    }
  }

  function spawn(work: Work<void>): void {
    if (over) throw new Error('the scope has ended')
    const child = guarded(work).finally(() => children.delete(child))
    children.add(child)
  }

  let result: T
  spawn(async () => {
    result = await body(spawn, signal)
  })
  while (children.size > 0) await Promise.all(children)
  over = true
  if (errors.length > 0) throw errors[0]
  return result!
}
// #endregion scope

// #region family
async function sibling(name: string, signal?: AbortSignal): Promise<void> {
  try {
    await (signal === undefined ? turns(10) : sleep(HOUR, undefined, { signal }))
    console.log(`  ${name} has done its work`)
  } finally {
    await turns(2)
    console.log(`  ${name} has cleaned up`)
  }
}

async function fails(): Promise<void> {
  await turns(2)
  throw new Error('no luck')
}

console.log('Promise.all')
const left = sibling('sibling')
await Promise.all([left, fails()]).catch(tell)
await left

console.log('scope')
await scope(async (spawn) => {
  spawn((signal) => sibling('sibling', signal))
  spawn(fails)
}).catch(tell)

console.log('a scope in a scope')
await scope(async (spawn) => {
  spawn((outer) => scope(async (inner) => inner((signal) => sibling('child', signal)), outer))
  spawn(fails)
}).catch(tell)

console.log('a scope that succeeds')
const value = await scope(async (spawn) => {
  spawn(async () => {
    await turns(2)
    console.log('  the child has ended')
  })
  return 'the value of the body'
})
console.log(`  ${value}`)
// #endregion family

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

function tell(error: unknown): void {
  console.log(`  the caller has ${String(error)}`)
}
