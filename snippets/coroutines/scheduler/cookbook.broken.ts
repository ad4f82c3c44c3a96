// Wrong on purpose: the framework of the source's listing, which is recipe 12.12 of the Python
// Cookbook, in TypeScript. Same classes, same calls, blocking sockets, and each of its faults.

import {
  EINTR,
  FD_ISSET,
  FD_SET,
  accept,
  close,
  fd_set,
  format,
  recv,
  send,
  sockaddr_storage,
  systemError,
  trySelect,
} from '#posix'

// #region cookbook-event
/** A task is a generator. What `yield` returns in it is what the scheduler resumes it with. */
export type Steps<T> = Generator<YieldEvent, T, unknown>

/** What a task yields: something that it waits for. */
export abstract class YieldEvent {
  abstract handleYield(sched: Scheduler, task: Steps<void>): void
  abstract handleResume(sched: Scheduler, task: Steps<void>): void
}
// #endregion cookbook-event

interface Waiter {
  evt: YieldEvent
  task: Steps<void>
}

export class Scheduler {
  #numtasks = 0 // that have not returned yet
  readonly #ready: { task: Steps<void>; msg?: unknown }[] = []
  readonly #readWaiting = new Map<number, Waiter>() // by descriptor
  readonly #writeWaiting = new Map<number, Waiter>()

  // #region cookbook-poll
  /** Waits for descriptors, and resumes the tasks that wait for them. */
  #ioPoll(): void {
    const [rset, wset] = [fd_set(), fd_set()]
    const sides = [
      [this.#readWaiting, rset],
      [this.#writeWaiting, wset],
    ] as const
    let nfds = 0
    for (const [waiting, set] of sides) {
      for (const fd of waiting.keys()) {
        FD_SET(fd, set)
        nfds = Math.max(nfds, fd + 1)
      }
    }
    const count = trySelect(nfds, rset, wset, null, null)
    if (count === -EINTR) return // Python repeats it as well
    if (count < 0) throw systemError('select', count)
    for (const [waiting, set] of sides) {
      for (const [fd, { evt, task }] of waiting) {
        if (!FD_ISSET(fd, set)) continue
        waiting.delete(fd)
        evt.handleResume(this, task) // calls recv, send or accept, here
      }
    }
  }
  // #endregion cookbook-poll

  /** Adds a task. */
  new(task: Steps<void>): void {
    this.addReady(task)
    this.#numtasks++
  }

  /** Puts a task behind those that are ready; `msg` is what its yield returns. */
  addReady(task: Steps<void>, msg?: unknown): void {
    this.#ready.push({ task, msg })
  }

  // #region cookbook-wait
  readWait(fd: number, evt: YieldEvent, task: Steps<void>): void {
    this.#readWaiting.set(fd, { evt, task })
  }

  writeWait(fd: number, evt: YieldEvent, task: Steps<void>): void {
    this.#writeWaiting.set(fd, { evt, task })
  }
  // #endregion cookbook-wait

  // #region cookbook-run
  /** Runs until there are no tasks. */
  run(): void {
    while (this.#numtasks > 0) {
      while (this.#ready.length === 0) this.#ioPoll()
      const { task, msg } = this.#ready.shift()!
      const { done, value } = task.next(msg) // to its next yield
      if (done) this.#numtasks--
      else value.handleYield(this, task)
    }
  }
  // #endregion cookbook-run
}

// #region cookbook-sockets
class ReadSocket extends YieldEvent {
  readonly #fd: number
  readonly #nbytes: number

  constructor(fd: number, nbytes: number) {
    super()
    this.#fd = fd
    this.#nbytes = nbytes
  }

  handleYield(sched: Scheduler, task: Steps<void>): void {
    sched.readWait(this.#fd, this, task)
  }

  handleResume(sched: Scheduler, task: Steps<void>): void {
    const data = Buffer.alloc(this.#nbytes)
    const received = recv(this.#fd, data, this.#nbytes, 0)
    sched.addReady(task, data.subarray(0, received))
  }
}

class WriteSocket extends YieldEvent {
  readonly #fd: number
  readonly #data: Buffer

  constructor(fd: number, data: Buffer) {
    super()
    this.#fd = fd
    this.#data = data
  }

  handleYield(sched: Scheduler, task: Steps<void>): void {
    sched.writeWait(this.#fd, this, task)
  }

  handleResume(sched: Scheduler, task: Steps<void>): void {
    const nsent = send(this.#fd, this.#data, this.#data.length, 0)
    sched.addReady(task, nsent)
  }
}

class AcceptSocket extends YieldEvent {
  readonly #fd: number

  constructor(fd: number) {
    super()
    this.#fd = fd
  }

  handleYield(sched: Scheduler, task: Steps<void>): void {
    sched.readWait(this.#fd, this, task)
  }

  handleResume(sched: Scheduler, task: Steps<void>): void {
    const peer = sockaddr_storage()
    const connFd = accept(this.#fd, peer)
    sched.addReady(task, [new Socket(connFd), format(peer)])
  }
}
// #endregion cookbook-sockets

export class Socket {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  recv(nbytes: number): YieldEvent {
    return new ReadSocket(this.#fd, nbytes)
  }

  send(data: Buffer): YieldEvent {
    return new WriteSocket(this.#fd, data)
  }

  accept(): YieldEvent {
    return new AcceptSocket(this.#fd)
  }

  close(): void {
    close(this.#fd)
  }
}

// #region cookbook-readline
/** To be called as `yield* readline(socket)`. */
export function* readline(socket: Socket): Steps<Buffer> {
  const chars: Buffer[] = []
  for (;;) {
    const c = (yield socket.recv(1)) as Buffer
    if (c.length === 0) break
    chars.push(c)
    if (c.toString() === '\n') break
  }
  return Buffer.concat(chars)
}
// #endregion cookbook-readline
