// One thread accepts, and a pool of others serves. Between them is a queue in shared memory.
// usage: node exercise-queue.ts PORT [HOST [THREADS]]

import { writeSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import {
  type SystemError,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  _exit,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr,
  socket,
  startThread,
} from '#posix'

// #region queue
// A ring of descriptors. HEAD counts those that were taken, TAIL those that were put; both wrap.
const SIZE = 64 // a power of two
const HEAD = SIZE
const TAIL = SIZE + 1

/** Puts a descriptor at the end, and waits while the queue is full. One thread may do so. */
function put(queue: Int32Array, connFd: number): void {
  const tail = Atomics.load(queue, TAIL)
  for (let head = Atomics.load(queue, HEAD); ((tail - head) | 0) === SIZE;) {
    Atomics.wait(queue, HEAD, head)
    head = Atomics.load(queue, HEAD)
  }
  Atomics.store(queue, tail & (SIZE - 1), connFd)
  Atomics.store(queue, TAIL, tail + 1)
  Atomics.notify(queue, TAIL, 1)
}

/** Takes the first descriptor, and waits while the queue is empty. */
function take(queue: Int32Array): number {
  for (;;) {
    const head = Atomics.load(queue, HEAD)
    if (head === Atomics.load(queue, TAIL)) {
      Atomics.wait(queue, TAIL, head)
      continue
    }
    const connFd = Atomics.load(queue, head & (SIZE - 1))
    // If another thread was faster, HEAD has moved, and what was read means nothing.
    if (Atomics.compareExchange(queue, HEAD, head, head + 1) !== head) continue
    Atomics.notify(queue, HEAD)
    return connFd
  }
}
// #endregion queue

if (isMainThread) main()
else serveAll(workerData as Int32Array)

function main(): void {
  const [port = '', host = '127.0.0.1', count = '4'] = process.argv.slice(2)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !/^[1-9]\d{0,2}$/.test(count)) {
    console.error('usage: node exercise-queue.ts PORT [HOST [THREADS]]')
    process.exit(2)
  }
  try {
    const addr = sockaddr(host, Number(port))
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    log(`listening on ${format(getsockname(listenFd, addr))}`)

    const queue = new Int32Array(new SharedArrayBuffer(4 * (SIZE + 2)))
    for (let i = 0; i < Number(count); i++) startThread(import.meta.url, queue)
    for (;;) put(queue, acceptNext(listenFd))
  } catch (error) {
    console.error((error as Error).message)
    _exit(1) // process.exit would wait for threads that are in recv
  }
}

// #region serve
// An echo server will do to show the queue.
function serveAll(queue: Int32Array): void {
  const buffer = Buffer.alloc(65_536)
  for (;;) {
    const connFd = take(queue)
    try {
      for (;;) {
        const received = recv(connFd, buffer, buffer.length, 0)
        if (received === 0) break
        sendAll(connFd, buffer.subarray(0, received))
      }
      log('served a client')
    } catch (error) {
      if ((error as SystemError).syscall === undefined) throw error
      log((error as SystemError).message)
    } finally {
      close(connFd)
    }
  }
}
// #endregion serve

function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

// A client may be gone before we take it; then the next one is due. accept(2)
function acceptNext(listenFd: number): number {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept4(listenFd, undefined, SOCK_CLOEXEC)
    } catch (error) {
      if (!gone.includes((error as SystemError).code)) throw error
    }
  }
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
