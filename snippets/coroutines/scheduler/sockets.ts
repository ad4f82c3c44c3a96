// Sockets whose calls are events: recv, send and accept try, and wait where they would block.

import {
  EAGAIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  close,
  format,
  sockaddr_storage,
  systemError,
  tryAccept,
  tryRecv,
  trySend,
} from '#posix'
import { type Coroutine, type Scheduler, type Task, YieldEvent } from './scheduler.ts'

const BUFFER_SIZE = 65_536 // bytes
const NEWLINE = 10
const EMPTY = Buffer.alloc(0)
const buffer = Buffer.alloc(BUFFER_SIZE) // for all: no attempt leaves a byte in it

// #region events
/** A call on a socket that waits until the socket is readable. */
abstract class SocketEvent<T> extends YieldEvent<T> {
  protected readonly socket: Socket

  constructor(socket: Socket) {
    super()
    this.socket = socket
  }

  handleYield(scheduler: Scheduler, task: Task<unknown>): void {
    scheduler.readWait(this.socket.fd, task)
  }

  handleCancel(scheduler: Scheduler, task: Task<unknown>): void {
    scheduler.stopWaiting(this.socket.fd, task)
  }
}

/** Receives some bytes; none at the end of the stream. Throws what recv throws. */
export class ReadSocket extends SocketEvent<Buffer> {
  readonly #nbytes: number

  constructor(socket: Socket, nbytes: number) {
    super(socket)
    this.#nbytes = Math.min(nbytes, BUFFER_SIZE)
  }

  protected attempt(): boolean {
    const received = this.socket.receive(buffer, this.#nbytes)
    if (received < 0) return false
    const data = Buffer.allocUnsafe(received)
    buffer.copy(data, 0, 0, received)
    this.result = data
    return true
  }
}

/** Receives into memory of the caller: how many bytes, 0 at the end. Throws what recv throws. */
export class ReadInto extends SocketEvent<number> {
  readonly #target: Uint8Array

  constructor(socket: Socket, target: Uint8Array) {
    super(socket)
    this.#target = target
  }

  protected attempt(): boolean {
    const received = this.socket.receive(this.#target, this.#target.length)
    if (received < 0) return false
    this.result = received
    return true
  }
}

/** Sends bytes, and tells how many the kernel took. Throws what send throws. */
export class WriteSocket extends SocketEvent<number> {
  readonly #data: Uint8Array

  constructor(socket: Socket, data: Uint8Array) {
    super(socket)
    this.#data = data
  }

  protected attempt(): boolean {
    const sent = trySend(this.socket.openFd, this.#data, this.#data.length, 0)
    if (sent === -EAGAIN) return false
    if (sent < 0) throw systemError('send', sent)
    this.result = sent
    return true
  }

  override handleYield(scheduler: Scheduler, task: Task<unknown>): void {
    scheduler.writeWait(this.socket.fd, task)
  }
}

/** Accepts a connection: the socket, and the peer's address. Throws what accept throws. */
export class AcceptSocket extends SocketEvent<[Socket, string]> {
  protected attempt(): boolean {
    const peer = sockaddr_storage()
    const connFd = tryAccept(this.socket.openFd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (connFd === -EAGAIN) return false
    if (connFd < 0) throw systemError('accept', connFd)
    this.result = [new Socket(this.socket.scheduler, connFd), format(peer)]
    return true
  }
}
// #endregion events

// #region socket
/** A non-blocking socket of tasks. */
export class Socket {
  readonly scheduler: Scheduler
  readonly fd: number
  /** The last recv has left nothing behind, so that another would find nothing. */
  #drained = false
  #closed = false

  constructor(scheduler: Scheduler, fd: number) {
    this.scheduler = scheduler
    this.fd = fd
  }

  /** The descriptor, as long as it is this socket's. */
  get openFd(): number {
    if (this.#closed) throw new Error('the socket is closed')
    return this.fd
  }

  recv(nbytes: number): ReadSocket {
    return new ReadSocket(this, nbytes)
  }

  recvInto(target: Uint8Array): ReadInto {
    return new ReadInto(this, target)
  }

  /** Tries to receive: how many bytes, or -EAGAIN where a wait comes first. Throws what recv throws. */
  receive(target: Uint8Array, nbytes: number): number {
    const fd = this.openFd // also before a wait
    if (this.#drained) {
      this.#drained = false // the next attempt comes after the wait
      return -EAGAIN
    }
    const received = tryRecv(fd, target, nbytes, 0)
    if (received < 0 && received !== -EAGAIN) throw systemError('recv', received)
    this.#drained = received > 0 && received < nbytes
    return received
  }

  send(data: Uint8Array): WriteSocket {
    return new WriteSocket(this, data)
  }

  accept(): AcceptSocket {
    return new AcceptSocket(this)
  }

  /** Closes it. Whoever waits for it fails. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.scheduler.forget(this.fd)
    close(this.fd)
  }
}
// #endregion socket

// #region readline
/**
 * Reads up to and with a newline, byte by byte; less at the end of the stream. If it is cancelled,
 * what it has read of a line is lost.
 */
export function* readline(socket: Socket, max = BUFFER_SIZE): Coroutine<Buffer> {
  const char = Buffer.allocUnsafe(1)
  const event = socket.recvInto(char) // one for all bytes: each attempt begins anew
  let line = Buffer.allocUnsafe(64)
  let length = 0
  for (;;) {
    if ((yield* event) === 0) break
    if (length === max) throw new RangeError(`a line of more than ${max} bytes`)
    if (length === line.length) line = Buffer.concat([line], 2 * length)
    line[length++] = char[0]!
    if (char[0] === NEWLINE) break
  }
  return line.subarray(0, length)
}
// #endregion readline

// #region lines
/**
 * The same with a buffer: a call receives what is there, however many lines that is, and what has
 * come of a line stays here if the wait for the rest is ended.
 */
export class LineReader {
  readonly #socket: Socket
  readonly #max: number
  #chunk: Buffer = EMPTY
  #from = 0 // where the next line begins

  constructor(socket: Socket, max = BUFFER_SIZE) {
    this.#socket = socket
    this.#max = max
  }

  /** The next line, if all of it has come already. */
  buffered(): Buffer | undefined {
    const end = this.#chunk.indexOf(NEWLINE, this.#from) + 1
    return end === 0 || end - this.#from > this.#max ? undefined : this.#take(end)
  }

  *readline(): Coroutine<Buffer> {
    for (;;) {
      const line = this.buffered()
      if (line !== undefined) return line
      const rest = this.#chunk.subarray(this.#from) // stays where it is: the wait may be ended
      if (rest.length >= this.#max) throw new RangeError(`a line of more than ${this.#max} bytes`)
      const chunk = yield* this.#socket.recv(BUFFER_SIZE)
      if (chunk.length === 0) return this.#take(this.#chunk.length)
      this.#chunk = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      this.#from = 0
    }
  }

  #take(end: number): Buffer {
    const line = this.#chunk.subarray(this.#from, end)
    this.#from = end
    return line
  }
}
// #endregion lines

// #region writer
/** Sends all of it, at the pace of the peer. */
export function* sendAll(socket: Socket, data: Uint8Array): Coroutine<void> {
  for (let sent = 0; sent < data.length;) sent += yield* socket.send(data.subarray(sent))
}

/** Gathers what is written, to send it with one call. */
export class Writer {
  readonly #socket: Socket
  #parts: Uint8Array[] = []
  /** How many bytes have been gathered. */
  size = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  write(data: Uint8Array): void {
    this.#parts.push(data)
    this.size += data.length
  }

  *flush(): Coroutine<void> {
    if (this.size === 0) return
    const data = Buffer.concat(this.#parts, this.size)
    this.#parts = []
    this.size = 0
    yield* sendAll(this.#socket, data)
  }
}
// #endregion writer
