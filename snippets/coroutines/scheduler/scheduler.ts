// Tasks that take turns on one thread. A task is a generator: it runs until it yields an event that
// it has to wait for, and is resumed when another attempt is worth it.

import { POLLIN, POLLOUT, type Poller, epollPoller } from '#posix'

// #region coroutine
/** What a task runs: a generator that yields events, and returns a T. */
export type Coroutine<T> = Generator<YieldEvent<unknown>, T, unknown>
// #endregion coroutine

// #region event
/** How many attempts in a row may succeed before the other tasks have their turn. */
const CREDIT = 256
let credit = 0 // what is left of it to the task that runs

/**
 * Something to wait for that has a result: `const result = yield* event`.
 *
 * An event is its own iterator. The attempt is made in next(), which runs in the task, so that a
 * failed call throws there and nowhere else. While the attempt is in vain the event yields itself.
 */
export abstract class YieldEvent<T> {
  protected result: T | undefined

  /** Tries without waiting: sets the result and returns true, or returns false. */
  protected abstract attempt(): boolean

  /** Sees to it that the scheduler resumes `task` when another attempt is worth it. */
  abstract handleYield(scheduler: Scheduler, task: Task<unknown>): void

  /** Undoes handleYield: `task` does not wait any longer. */
  abstract handleCancel(scheduler: Scheduler, task: Task<unknown>): void

  next(): IteratorResult<YieldEvent<unknown>, T> {
    if (credit-- > 0 && this.attempt()) return { done: true, value: this.result as T }
    return { done: false, value: this }
  }

  throw(error: unknown): never {
    throw error
  }

  [Symbol.iterator](): Iterator<YieldEvent<unknown>, T, unknown> {
    return this
  }
}
// #endregion event

// #region task
/** How a task has ended. */
type Outcome<T> = { value: T } | { error: unknown }

/**
 * Thrown in a task that is cancelled, where it waits, and in whoever joins it. A `catch` that takes
 * every error throws this one again.
 */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** A depth that no scope has. */
const UNDISTURBED = 1 << 30

export class Task<T> {
  readonly name: string
  readonly scheduler: Scheduler
  readonly #coroutine: Coroutine<T>
  readonly #onEnd: () => void
  /** Undefined until it has ended. */
  outcome: Outcome<T> | undefined
  readonly joiners = new Set<Task<unknown>>()
  /** What it waits for; undefined while it is ready or runs. */
  event: YieldEvent<unknown> | undefined
  /** Why its wait has failed, to be thrown in it. */
  failure: Error | undefined
  #started = false
  #cancelled = false
  /** The scopes that are open around what it does, the innermost last. */
  readonly scopes: Scope[] = []
  /** Where it is asked to leave: 0 is the task itself, 1 its outermost scope, and so on. */
  #asked: number[] = []
  #deepest = -1 // of #asked
  /**
   * It is on its way out from this depth, through its `finally` blocks. Scopes that are opened
   * there are deeper, and what is asked further out does not disturb it.
   */
  shield = -1

  constructor(scheduler: Scheduler, coroutine: Coroutine<T>, name: string, onEnd: () => void) {
    this.scheduler = scheduler
    this.#coroutine = coroutine
    this.name = name
    this.#onEnd = onEnd
  }

  /** Waits for its end, for what it has returned. Throws what it has thrown. */
  join(): YieldEvent<T> {
    return new Join(this)
  }

  /** Waits for its end, however it ends. */
  ended(): YieldEvent<void> {
    return new Ended(this)
  }

  /**
   * Ends it where it waits, by the error Cancelled: its `finally` blocks run, and may wait. If it has
   * not begun it runs to its first wait: only in its `try` can it release what it was given.
   */
  cancel(): void {
    if (this.outcome !== undefined || this.#cancelled) return
    this.#cancelled = true
    this.leave(0)
  }

  /** How many scopes are open around what it does. */
  get depth(): number {
    return this.scopes.length
  }

  /** Asks it to leave what it does at that depth. */
  leave(depth: number): void {
    this.#asked.push(depth)
    this.#deepest = Math.max(this.#deepest, depth)
    if (this.isLeaving && this.event !== undefined) this.wake()
  }

  /** It has left. */
  left(depth: number): void {
    this.#asked = this.#asked.filter((asked) => asked !== depth)
    this.#deepest = Math.max(-1, ...this.#asked)
  }

  /** Whether it is asked to leave something between those depths. */
  isAskedBetween(outside: number, depth: number): boolean {
    return this.#asked.some((asked) => asked > outside && asked < depth)
  }

  get isLeaving(): boolean {
    return this.#deepest > this.shield
  }

  /** Takes it out of its wait, with an error if there is one. */
  wake(failure?: Error): void {
    this.event?.handleCancel(this.scheduler, this)
    this.failure = failure
    this.scheduler.addReady(this)
  }

  /** Runs it to the next event that it has to wait for. */
  resume(): IteratorResult<YieldEvent<unknown>, T> {
    const { failure } = this
    this.failure = undefined
    if (this.isLeaving && this.#started) {
      this.shield = this.depth
      for (const inner of this.scopes.slice(this.#deepest)) inner.isLeft = true
      // Not return(): where a `finally` waits, yield* forgets it, and the caller goes on.
      return this.#coroutine.throw(this.#cancellation())
    }
    this.#started = true
    return failure === undefined ? this.#coroutine.next() : this.#coroutine.throw(failure)
  }

  returned(value: T): void {
    const cancelled = this.#cancelled && this.shield >= 0
    this.end(cancelled ? { error: this.#cancellation() } : { value })
  }

  #cancellation(): Cancelled {
    return new Cancelled(`${this.name} was cancelled`)
  }

  end(outcome: Outcome<T>): void {
    this.outcome = outcome
    for (const task of this.joiners) this.scheduler.addReady(task)
    this.#onEnd()
  }

  /** Why it failed; undefined if it has not, or was cancelled. */
  get error(): { error: unknown } | undefined {
    const { outcome } = this
    if (outcome === undefined || 'value' in outcome) return undefined
    return outcome.error instanceof Cancelled && this.#cancelled ? undefined : outcome
  }
}
// #endregion task

// #region join
class Ended extends YieldEvent<void> {
  readonly #task: Task<unknown>

  constructor(task: Task<unknown>) {
    super()
    this.#task = task
  }

  protected attempt(): boolean {
    return this.#task.outcome !== undefined
  }

  handleYield(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#task.joiners.add(task)
  }

  handleCancel(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#task.joiners.delete(task)
  }
}

class Join<T> extends YieldEvent<T> {
  readonly #task: Task<T>

  constructor(task: Task<T>) {
    super()
    this.#task = task
  }

  protected attempt(): boolean {
    const { outcome } = this.#task
    if (outcome === undefined) return false
    if ('error' in outcome) throw outcome.error
    this.result = outcome.value
    return true
  }

  handleYield(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#task.joiners.add(task)
  }

  handleCancel(_scheduler: Scheduler, task: Task<unknown>): void {
    this.#task.joiners.delete(task)
  }
}
// #endregion join

/** The tasks that wait for a descriptor, and what the poller watches it for. */
interface Waiting {
  reader: Task<unknown> | undefined
  writer: Task<unknown> | undefined
  watched: number
}

export interface Timer {
  time: number
  action: () => void
}

export interface SchedulerOptions {
  poller?: Poller
  /** A clock, in milliseconds. */
  now?: () => number
}

let running: Task<unknown> | undefined

export class Scheduler {
  readonly #poller: Poller
  readonly #now: () => number
  readonly #tasks = new Set<Task<unknown>>() // those that were added by new()
  #ready: Task<unknown>[] = []
  #turn: Task<unknown>[] = []
  readonly #waiting: (Waiting | undefined)[] = [] // by descriptor
  #waits = 0 // tasks in #waiting
  readonly #timers: Timer[] = [] // the next one last
  #failure: { error: unknown } | undefined

  constructor({ poller = epollPoller(), now = () => performance.now() }: SchedulerOptions = {}) {
    this.#poller = poller
    this.#now = now
  }

  /** Adds a task. If it fails, all others are cancelled, and run() throws its error. */
  new<T>(coroutine: Coroutine<T>, name = 'task'): Task<T> {
    const task = this.start(coroutine, name, () => {
      this.#tasks.delete(task)
      if (task.error === undefined) return
      this.#failure ??= task.error
      for (const other of this.#tasks) other.cancel()
    })
    this.#tasks.add(task)
    if (this.#failure !== undefined) task.cancel()
    return task
  }

  /** Adds a task that `onEnd` looks after. */
  start<T>(coroutine: Coroutine<T>, name: string, onEnd: () => void): Task<T> {
    const task = new Task(this, coroutine, name, onEnd)
    this.#ready.push(task)
    return task
  }

  /** Puts a task behind those that are ready. */
  addReady(task: Task<unknown>): void {
    task.event = undefined
    this.#ready.push(task)
  }

  // #region run
  /** Runs until no task is left. */
  run(): void {
    try {
      while (this.#tasks.size > 0) {
        ;[this.#turn, this.#ready] = [this.#ready, this.#turn]
        for (const task of this.#turn) this.#step(task)
        this.#turn.length = 0
        if (this.#tasks.size > 0) this.#poll()
      }
    } finally {
      this.#poller.close()
      this.#waiting.length = 0 // a socket that is closed later has nothing to be forgotten
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #step(task: Task<unknown>): void {
    running = task
    credit = CREDIT
    try {
      const { done, value } = task.resume()
      if (done) task.returned(value)
      else this.#wait(task, value)
    } catch (error) {
      task.end({ error })
    }
    running = undefined
  }

  #wait(task: Task<unknown>, event: YieldEvent<unknown>): void {
    if (credit < 0 || task.isLeaving) return this.addReady(task)
    task.event = event
    try {
      event.handleYield(this, task)
    } catch (error) {
      task.failure = error as Error
      this.addReady(task)
    }
  }
  // #endregion run

  // #region poll
  #poll(): void {
    const timer = this.#timers.at(-1)
    let timeout = -1
    if (this.#ready.length > 0) timeout = 0
    else if (timer !== undefined) timeout = Math.max(0, timer.time - this.#now())
    else if (this.#waits === 0) {
      const names = Array.from(this.#tasks, ({ name }) => name).join(', ')
      throw this.#failure?.error ?? new Error(`deadlock: nothing can wake any of ${names}`)
    }
    if (this.#waits > 0 || timeout > 0) this.#poller.wait(timeout, this.#wake)
    if (timer === undefined) return
    for (const now = this.#now(); (this.#timers.at(-1)?.time ?? Infinity) <= now;) {
      this.#timers.pop()!.action()
    }
  }

  readonly #wake = (fd: number, events: number): void => {
    const waiting = this.#waiting[fd]!
    const { reader, writer } = waiting
    let unwanted = 0
    if (events & POLLIN) {
      if (reader === undefined) unwanted |= POLLIN
      else {
        waiting.reader = undefined
        this.#waits--
        this.addReady(reader)
      }
    }
    if (events & POLLOUT) {
      if (writer === undefined) unwanted |= POLLOUT
      else {
        waiting.writer = undefined
        this.#waits--
        this.addReady(writer)
      }
    }
    if (unwanted !== 0) this.#watch(fd, waiting, waiting.watched & ~unwanted)
  }

  #watch(fd: number, waiting: Waiting, events: number): void {
    if (events === waiting.watched) return
    this.#poller.watch(fd, events)
    waiting.watched = events
  }
  // #endregion poll

  // #region waits
  /** Resumes `task` when the descriptor is readable. */
  readWait(fd: number, task: Task<unknown>): void {
    const waiting = this.#waitingFor(fd)
    if (waiting.reader !== undefined) {
      throw new Error(`${waiting.reader.name} already waits to read descriptor ${fd}`)
    }
    this.#watch(fd, waiting, waiting.watched | POLLIN)
    waiting.reader = task
    this.#waits++
  }

  /** Resumes `task` when the descriptor is writable. */
  writeWait(fd: number, task: Task<unknown>): void {
    const waiting = this.#waitingFor(fd)
    if (waiting.writer !== undefined) {
      throw new Error(`${waiting.writer.name} already waits to write descriptor ${fd}`)
    }
    this.#watch(fd, waiting, waiting.watched | POLLOUT)
    waiting.writer = task
    this.#waits++
  }

  #waitingFor(fd: number): Waiting {
    return (this.#waiting[fd] ??= { reader: undefined, writer: undefined, watched: 0 })
  }

  /** `task` does not wait for the descriptor any longer. */
  stopWaiting(fd: number, task: Task<unknown>): void {
    const waiting = this.#waiting[fd]!
    if (waiting.reader === task) waiting.reader = undefined
    else if (waiting.writer === task) waiting.writer = undefined
    else return
    this.#waits--
  }

  /** The descriptor is about to be closed: who waits for it fails. */
  forget(fd: number): void {
    const waiting = this.#waiting[fd]
    if (waiting === undefined) return
    this.#watch(fd, waiting, 0)
    for (const task of [waiting.reader, waiting.writer]) {
      task?.wake(new Error(`descriptor ${fd} was closed while ${task.name} waited for it`))
    }
  }
  // #endregion waits

  // #region timers
  /** Has `action` called in `ms` milliseconds. */
  after(ms: number, action: () => void): Timer {
    const timer = { time: this.#now() + ms, action }
    const timers = this.#timers
    let [from, to] = [0, timers.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (timers[middle]!.time > timer.time) from = middle + 1
      else to = middle
    }
    timers.splice(from, 0, timer)
    return timer
  }

  /** Takes a timer back; one that is over is nothing. */
  clear(timer: Timer): void {
    const i = this.#timers.indexOf(timer)
    if (i >= 0) this.#timers.splice(i, 1)
  }
  // #endregion timers
}

// #region sleep
class Sleep extends YieldEvent<void> {
  readonly #ms: number
  #timer: Timer | undefined
  #over = false

  constructor(ms: number) {
    super()
    this.#ms = ms
  }

  protected attempt(): boolean {
    return this.#over
  }

  handleYield(scheduler: Scheduler, task: Task<unknown>): void {
    this.#timer = scheduler.after(this.#ms, () => {
      this.#over = true
      scheduler.addReady(task)
    })
  }

  handleCancel(scheduler: Scheduler): void {
    scheduler.clear(this.#timer!)
  }
}

/** Waits for so many milliseconds. */
export function sleep(ms: number): YieldEvent<void> {
  return new Sleep(ms)
}

class Pause extends YieldEvent<void> {
  #over = false

  protected attempt(): boolean {
    return this.#over
  }

  handleYield(scheduler: Scheduler, task: Task<unknown>): void {
    this.#over = true
    scheduler.addReady(task)
  }

  handleCancel(): void {}
}

/** Lets all others that are ready go first. */
export function pause(): YieldEvent<void> {
  return new Pause()
}
// #endregion sleep

// #region scope
/** Where tasks are started that must not outlive what has started them. */
export class Scope {
  readonly #owner: Task<unknown>
  readonly #children = new Set<Task<unknown>>()
  readonly depth: number
  failure: { error: unknown } | undefined
  /** Something around it is being left, and it with that. */
  isLeft = false
  /** It was being left when it failed: what has been demanded further out is not demanded again. */
  late = false
  #phase: 'open' | 'closing' | 'closed' = 'open'
  readonly #outside: number // the shield under which it was opened

  constructor(owner: Task<unknown>) {
    this.#owner = owner
    this.#outside = owner.shield
    owner.scopes.push(this)
    this.depth = owner.depth
  }

  /** The first failure is what it throws. */
  fail(error: unknown): void {
    if (this.failure !== undefined) return
    this.failure = { error }
    this.late = this.isLeft
  }

  /** Fails, and ends what its owner and its tasks do. */
  abort(error: unknown): void {
    this.fail(error)
    this.cancel()
    this.#owner.leave(this.depth)
  }

  /** Starts a task. If it fails, its siblings are cancelled, and the scope throws its error. */
  spawn<T>(coroutine: Coroutine<T>, name = 'task'): Task<T> {
    if (this.#phase === 'closed') throw new Error(`${name}: the scope has ended`)
    const child = this.#owner.scheduler.start(coroutine, name, () => {
      this.#children.delete(child)
      if (child.error !== undefined && this.failure === undefined) this.abort(child.error.error)
    })
    this.#children.add(child)
    if (this.#phase === 'closing' || this.failure !== undefined) child.cancel()
    return child
  }

  /** Fails in `ms` ms, unless something around it is to be left then. Returns what takes it back. */
  failAfter(ms: number, error: Error): () => void {
    const { scheduler } = this.#owner
    const timer = scheduler.after(ms, () => {
      const goesFirst = this.#owner.isAskedBetween(this.#outside, this.depth)
      if (!goesFirst && this.#phase === 'open') this.abort(error)
    })
    return () => scheduler.clear(timer)
  }

  /** Cancels all its tasks. */
  cancel(): void {
    for (const child of this.#children) child.cancel()
  }

  /** Waits until all its tasks have ended. */
  *ended(): Coroutine<void> {
    for (const child of this.#children) yield* child.ended()
  }

  /** Ends what is left of it. */
  *close(): Coroutine<void> {
    this.#phase = 'closing'
    this.cancel()
    yield* this.ended()
    this.#phase = 'closed'
    this.#owner.left(this.depth)
    this.#owner.scopes.pop()
  }
}

/** Runs `body`, and returns what it returns once all tasks that it has started have ended. */
export function* scope<T>(body: (scope: Scope) => Coroutine<T>): Coroutine<T> {
  const owner = running!
  const outside = owner.shield
  const inner = new Scope(owner)
  try {
    const result = yield* body(inner)
    yield* inner.ended()
    return result
  } catch (error) {
    const leaving = error instanceof Cancelled && owner.shield >= inner.depth
    if (!leaving) inner.fail(error)
    throw error
  } finally {
    const leaving = owner.shield
    owner.shield = UNDISTURBED
    yield* inner.close()
    const wasLeft = inner.failure === undefined || inner.late
    owner.shield = wasLeft ? Math.min(leaving, owner.depth) : outside
    // oxlint-disable-next-line no-unsafe-finally -- a body that was unwound because a child has failed ends with that error
    if (inner.failure !== undefined) throw inner.failure.error
  }
}
// #endregion scope

// #region timeout
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** Gives `work` so many milliseconds, then ends it as cancel does. Throws TimeoutError. */
export function* timeout<T>(ms: number, work: Coroutine<T> | YieldEvent<T>): Coroutine<T> {
  return yield* scope(function* (inner) {
    const inTime = inner.failAfter(ms, new TimeoutError(`not done in ${ms} ms`))
    try {
      return yield* work
    } finally {
      inTime()
    }
  })
}
// #endregion timeout
