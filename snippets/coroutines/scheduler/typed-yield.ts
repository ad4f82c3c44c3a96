// What yield returns has one type for a whole generator. What yield* returns has a type of its own.
// Each @ts-expect-error is checked: `npm run typecheck` fails where the line below it is no error.

// #region plain
/** Yields names of what it waits for; is resumed with a line or a length. */
function* plain(): Generator<'line' | 'length', void, string | number> {
  const line = yield 'line'
  // @ts-expect-error -- a string, as we know, but for TypeScript it may be a number as well
  console.log(line.toUpperCase())
  const length = (yield 'line') as number // a cast is believed, and this one is wrong
  console.log('length:', length)
}

const plainTask = plain()
plainTask.next()
plainTask.next('a line')
plainTask.next('another line')
// #endregion plain

// #region event
/** Something to wait for whose result is a T. It is yielded by its own iterator, which returns the result. */
class Wait<T> {
  readonly what: string
  result: T | undefined

  constructor(what: string) {
    this.what = what
  }

  *[Symbol.iterator](): Coroutine<T> {
    yield this
    return this.result as T
  }
}

/** A generator that yields events and nothing else, and needs nothing from its yields. */
type Coroutine<T> = Generator<Wait<unknown>, T, undefined>
// #endregion event

const socket = {
  readline: () => new Wait<string>('line'),
  send: (_line: string) => new Wait<number>('room'),
}

// #region typed
function* typed(): Coroutine<number> {
  const line = yield* socket.readline() // string
  const sent = yield* socket.send(line.toUpperCase()) // number
  return sent - line.length
}
// #endregion typed

// #region wrong
export function* wrong(): Coroutine<string> {
  // @ts-expect-error -- 5 is nothing to wait for
  yield 5
  // @ts-expect-error -- nor is a list of numbers
  yield* [1, 2]
  // @ts-expect-error -- a line is no number
  const length: number = yield* socket.readline()
  // @ts-expect-error -- yield alone has no result; it is the star that hands it over
  const line: string = yield socket.readline()
  // @ts-expect-error -- and a coroutine of a string returns one
  return length + line.length
}
// #endregion wrong

const task = typed()
const results = new Map<string, unknown>([
  ['line', 'hello'],
  ['room', 5],
])
for (let step = task.next(); ; step = task.next()) {
  if (step.done) {
    console.log('returns', step.value)
    break
  }
  step.value.result = results.get(step.value.what)
  console.log(`waits for ${step.value.what}, which is`, step.value.result)
}
