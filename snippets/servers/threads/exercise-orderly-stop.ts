// A thread for each connection, with an end in order: accept has a thread too, so that the main
// thread is free to hear signals.
// usage: node exercise-orderly-stop.ts PORT [HOST [THREADS]]

import { writeSync } from 'node:fs'
import { type Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  type SystemError,
  SHUT_RDWR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  shutdown,
  sockaddr,
  sockaddr_storage,
  socket,
  startThread,
} from '#posix'

interface Given {
  listenFd: number
  /** How many threads may still be started. */
  room: Int32Array
}

if (isMainThread) main()
else acceptAll(workerData as Given)

function main(): void {
  const [port = '', host = '127.0.0.1', most = '64'] = process.argv.slice(2)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !/^[1-9]\d{0,3}$/.test(most)) {
    console.error('usage: node exercise-orderly-stop.ts PORT [HOST [THREADS]]')
    process.exit(2)
  }
  try {
    const addr = sockaddr(host, Number(port))
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    log(`listening on ${format(getsockname(listenFd, addr))}`)

    // #region main
    const room = new Int32Array(new SharedArrayBuffer(4)).fill(Number(most))
    const threads = new Map<Worker, number>()
    const connectionThread = new URL('./connection-thread.ts', import.meta.url)
    let stopping = false

    const acceptor = startThread(import.meta.url, { listenFd, room } satisfies Given)
    acceptor.on('message', ({ connFd, client }: { connFd: number; client: string }) => {
      if (stopping) return close(connFd)
      const closed = new Int32Array(new SharedArrayBuffer(4)) // 1 when the thread has closed it
      let thread: Worker
      try {
        thread = startThread(connectionThread, { connFd, client, closed })
      } catch (error) {
        log(`${client} ${(error as Error).message}`) // EAGAIN: no thread for it
        close(connFd)
        return makeRoom()
      }
      threads.set(thread, connFd)
      log(`serving ${client}`)
      thread.on('error', (error: Error) => log(`${client} ${error.message}`))
      thread.on('exit', () => {
        threads.delete(thread)
        if (Atomics.load(closed, 0) === 0) close(connFd)
        makeRoom()
      })
    })
    acceptor.on('error', (error: Error) => {
      console.error(error.message)
      process.exitCode = 1
      stop()
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)

    function makeRoom(): void {
      Atomics.add(room, 0, 1)
      Atomics.notify(room, 0)
    }

    function stop(): void {
      stopping = true
      tryShutdown(listenFd) // the acceptor may be waiting for a client ...
      // ... or for room: for a client that it has just taken, and to find out that we stop.
      Atomics.store(room, 0, 2)
      Atomics.notify(room, 0)
      // A number may have come back for a newer connection. That one has to end as well.
      for (const connFd of threads.values()) tryShutdown(connFd)
    }
    // #endregion main
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

// #region acceptor
function acceptAll({ listenFd, room }: Given): void {
  const peer = sockaddr_storage()
  for (;;) {
    while (Atomics.load(room, 0) === 0) Atomics.wait(room, 0, 0)
    const connFd = acceptNext(listenFd, peer)
    if (connFd === undefined) return
    Atomics.sub(room, 0, 1)
    parentPort!.postMessage({ connFd, client: format(peer) })
  }
}
// #endregion acceptor

// A client may be gone before we take it; then the next one is due. accept(2)
function acceptNext(listenFd: number, peer: Buffer): number | undefined {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept4(listenFd, peer, SOCK_CLOEXEC)
    } catch (error) {
      const { code } = error as SystemError
      if (code === 'EINVAL') return undefined // the socket has been shut down
      if (!gone.includes(code)) throw error
    }
  }
}

function tryShutdown(fd: number): void {
  try {
    shutdown(fd, SHUT_RDWR)
  } catch {
    // ENOTCONN: it is over already.
  }
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
