// A queue between tasks that holds so many values and no more: whoever sends into a full one waits,
// and so goes no faster than whoever receives. That is backpressure.

import { type Scheduler, type Task, YieldEvent } from './scheduler.ts'

// #region channel
export class Channel<T> {
  readonly #capacity: number
  readonly #values: T[] = []
  readonly #waiting = new Set<Task<unknown>>()
  #closed = false

  /** @param capacity how many values it holds: 1 or more */
  constructor(capacity: number) {
    if (!(capacity >= 1)) throw new RangeError(`a channel holds 1 value or more, not ${capacity}`)
    this.#capacity = capacity
  }

  /** Puts a value in once there is room. Throws where the channel is closed. */
  send(value: T): YieldEvent<void> {
    return new Attempt<void>(this.#waiting, () =>
      this.trySend(value) ? { value: undefined } : undefined,
    )
  }

  /** Puts a value in if there is room now, and tells whether. Throws where the channel is closed. */
  trySend(value: T): boolean {
    if (this.#closed) throw new Error('send on a closed channel')
    if (this.#values.length >= this.#capacity) return false
    this.#values.push(value)
    wakeAll(this.#waiting)
    return true
  }

  /** Takes the next value out once there is one; undefined once the channel is closed and empty. */
  receive(): YieldEvent<T | undefined> {
    return new Attempt<T | undefined>(this.#waiting, () => {
      if (this.#values.length > 0) return { value: this.#values.shift() }
      return this.#closed ? { value: undefined } : undefined
    })
  }

  /** No more values: whoever waits to send fails, whoever waits to receive gets what is left. */
  close(): void {
    this.#closed = true
    wakeAll(this.#waiting)
  }
}
// #endregion channel

// #region attempt
/** Something that is tried again whenever one of those who wait for the same has succeeded. */
class Attempt<R> extends YieldEvent<R> {
  readonly #waiting: Set<Task<unknown>>
  readonly #attempt: () => { value: R } | undefined

  constructor(waiting: Set<Task<unknown>>, attempt: () => { value: R } | undefined) {
    super()
    this.#waiting = waiting
    this.#attempt = attempt
  }

  protected attempt(): boolean {
    const success = this.#attempt()
    if (success === undefined) return false
    this.result = success.value
    wakeAll(this.#waiting)
    return true
  }

  handleYield(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#waiting.add(task)
  }

  handleCancel(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#waiting.delete(task)
  }
}

function wakeAll(waiting: Set<Task<unknown>>): void {
  for (const task of waiting) task.scheduler.addReady(task)
  waiting.clear()
}
// #endregion attempt
