// The types of the scheduler, checked by `npm run typecheck`: where an expected error is missing, that is the error. Nothing runs
// here.

import type { Channel } from '../../snippets/coroutines/scheduler/channel.ts'
import {
  type Coroutine,
  type Scheduler,
  type Scope,
  type Task,
  YieldEvent,
  pause,
  scope,
  sleep,
  timeout,
} from '../../snippets/coroutines/scheduler/scheduler.ts'
import { LineReader, type Socket, readline, sendAll } from '../../snippets/coroutines/scheduler/sockets.ts'

/** Compiles where both are the same type, in both directions. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function is<A, B>(_same: Same<A, B>): void {}

declare const socket: Socket
declare const scheduler: Scheduler
declare const channel: Channel<string>

export function* results(): Coroutine<void> {
  const chunk = yield* socket.recv(100)
  is<typeof chunk, Buffer>(true)
  const received = yield* socket.recvInto(chunk)
  is<typeof received, number>(true)
  const sent = yield* socket.send(chunk)
  is<typeof sent, number>(true)
  const accepted = yield* socket.accept()
  is<typeof accepted, [Socket, string]>(true)
  const line = yield* readline(socket)
  is<typeof line, Buffer>(true)
  const buffered = yield* new LineReader(socket).readline()
  is<typeof buffered, Buffer>(true)
  const all = yield* sendAll(socket, line)
  is<typeof all, void>(true)
  const slept = yield* sleep(1)
  is<typeof slept, void>(true)
  const paused = yield* pause()
  is<typeof paused, void>(true)
  const value = yield* channel.receive()
  is<typeof value, string | undefined>(true)
  const put = yield* channel.send('text')
  is<typeof put, void>(true)

  // @ts-expect-error -- a line is no number
  const wrong: number = yield* readline(socket)
  // @ts-expect-error -- nor is what a channel of strings gives
  const other: number = yield* channel.receive()
  // @ts-expect-error -- a channel may be closed
  const text: string = yield* channel.receive()
  // @ts-expect-error -- and takes strings only
  yield* channel.send(5)
  void [wrong, other, text]
}

export function* yields(): Coroutine<void> {
  // @ts-expect-error -- 5 is no event
  yield 5
  // @ts-expect-error -- nor is a text, letter by letter
  yield* 'text'
  // @ts-expect-error -- nor are numbers
  yield* [1, 2, 3]
  // @ts-expect-error -- a promise is for another kind of function
  yield Promise.resolve()
  // @ts-expect-error -- a generator of something else
  yield* (function* () {
    yield 'question'
  })()
  // @ts-expect-error -- yield alone has no result: unknown is no number
  const sent: number = yield socket.send(Buffer.of(1))
  // @ts-expect-error -- a coroutine that nobody runs has no line
  const line: Buffer = readline(socket)
  void [sent, line]
}

export function* returns(): Coroutine<number> {
  yield* pause()
  // @ts-expect-error -- a coroutine of a number returns one
  return 'text'
}

declare const count: Coroutine<number>
declare const word: Coroutine<'word'>

export function* tasks(inner: Scope): Coroutine<void> {
  const task = scheduler.new(count)
  is<typeof task, Task<number>>(true)
  const joined = yield* task.join()
  is<typeof joined, number>(true)
  const ended = yield* task.ended()
  is<typeof ended, void>(true)
  const child = yield* inner.spawn(word).join()
  is<typeof child, 'word'>(true)
  const both = yield* scope(function* (scope) {
    const [a, b] = [scope.spawn(count), scope.spawn(word)]
    return [yield* a.join(), yield* b.join()] as const
  })
  is<typeof both, readonly [number, 'word']>(true)

  // @ts-expect-error -- what count returns is no text
  const text: string = yield* task.join()
  // @ts-expect-error -- a task runs a coroutine, and not what makes one
  scheduler.new(results)
  // @ts-expect-error -- nor a generator of something else
  inner.spawn([1, 2].values())
  void text
}

export function* timeouts(): Coroutine<void> {
  const number = yield* timeout(10, count)
  is<typeof number, number>(true)
  const chunk = yield* timeout(10, socket.recv(1)) // an event as well as a coroutine
  is<typeof chunk, Buffer>(true)
  const nested = yield* timeout(20, timeout(10, word))
  is<typeof nested, 'word'>(true)

  // @ts-expect-error -- the result of the work is the result
  const text: string = yield* timeout(10, count)
  // @ts-expect-error -- milliseconds come first
  yield* timeout(count, 10)
  void text
}

/** An event of one's own has to say how it waits, and how it stops. */
// @ts-expect-error -- attempt, handleYield and handleCancel are missing
export class Incomplete extends YieldEvent<number> {}

export class Always extends YieldEvent<number> {
  protected attempt(): boolean {
    this.result = 1
    // @ts-expect-error -- the result has the type of the event
    this.result = 'text'
    return true
  }

  handleYield(): void {}
  handleCancel(): void {}
}

export function* own(): Coroutine<number> {
  const one = yield* new Always()
  is<typeof one, number>(true)
  return one
}
