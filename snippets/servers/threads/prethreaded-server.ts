// A prethreaded server: a few threads that are there before any client is, and that all wait in
// accept on one listening socket.
// usage: node prethreaded-server.ts PORT [HOST [THREADS]]

import { writeSync } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  type SystemError,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
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
  recv,
  send,
  setsockopt,
  shutdown,
  sockaddr,
  sockaddr_storage,
  socket,
  startThread,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds

// #region given
// What each thread is given: the socket to accept from, its own number, and the connections of all
// threads, in memory that all threads share.
interface Given {
  listenFd: number
  me: number
  connections: Int32Array
}
// What stands in a thread's place there, if not the descriptor of its connection:
const NONE = -1 // it has none
const STOP = -2 // it shall take no more
// #endregion given

if (isMainThread) main()
else acceptAndServe(workerData as Given)

function main(): void {
  const [port = '', host = '127.0.0.1', count = '4'] = process.argv.slice(2)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !/^[1-9]\d{0,2}$/.test(count)) {
    console.error('usage: node prethreaded-server.ts PORT [HOST [THREADS]]')
    process.exit(2)
  }

  let listenFd = -1
  const connections = new Int32Array(new SharedArrayBuffer(4 * Number(count))).fill(NONE)
  try {
    // #region start
    const addr = sockaddr(host, Number(port))
    listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => stop(listenFd, connections))
    }
    let ready = 0
    for (const me of connections.keys()) {
      const thread = startThread(import.meta.url, { listenFd, me, connections } satisfies Given)
      thread.on('message', () => {
        ready++
        if (ready < connections.length) return
        log(`listening on ${format(getsockname(listenFd, addr))}`)
      })
      thread.on('error', fail)
    }
    // #endregion start
  } catch (error) {
    fail(error as Error) // EAGAIN: there is no thread for it. Those that have been started end.
  }

  function fail(error: Error): void {
    if (process.exitCode === undefined) console.error(error.message)
    process.exitCode = 1
    if (listenFd !== -1) stop(listenFd, connections)
  }
}

// #region stop
// Nobody accepts any more, each thread ends the connection that it has, and then itself. With its
// last thread the process ends.
function stop(listenFd: number, connections: Int32Array): void {
  tryShutdown(listenFd, SHUT_RDWR) // wakes every accept: EINVAL
  const all = Array.from(connections, (_, i) => Atomics.exchange(connections, i, STOP))
  const open = all.filter((connFd) => connFd !== NONE && connFd !== STOP)
  for (const connFd of open) tryShutdown(connFd, SHUT_RD) // wakes recv: 0
  setTimeout(() => {
    for (const connFd of open) tryShutdown(connFd, SHUT_RDWR) // wakes send: EPIPE
  }, STOP_LIMIT).unref()
}

function tryShutdown(fd: number, how: number): void {
  try {
    shutdown(fd, how)
  } catch {
    // ENOTCONN: it is over already.
  }
}
// #endregion stop

// #region thread
function acceptAndServe({ listenFd, me, connections }: Given): void {
  const buffer = Buffer.alloc(LINE_MAX) // each thread has its own
  const peer = sockaddr_storage()
  parentPort!.postMessage('ready')
  for (;;) {
    const connFd = acceptNext(listenFd, peer) // all idle threads wait here; a client wakes one
    if (connFd === undefined) return
    if (Atomics.compareExchange(connections, me, NONE, connFd) === STOP) return close(connFd)
    const client = format(peer)
    log(`serving ${client}`)
    try {
      log(`${serve(connFd, buffer, () => Atomics.load(connections, me) === STOP)} ${client}`)
    } catch (error) {
      if ((error as SystemError).syscall === undefined) throw error
      log(`${client} ${(error as SystemError).message}`)
    } finally {
      // Only a descriptor that stop does not know may be closed, for its number may return.
      if (Atomics.compareExchange(connections, me, connFd, NONE) === connFd) close(connFd)
      else tryShutdown(connFd, SHUT_WR) // the end of the process closes it
    }
  }
}
// #endregion thread

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

// #region serve
// Answers each line until the client has sent its last: the loop of 2.2.
function serve(connFd: number, buffer: Buffer, stopping: () => boolean): string {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const received = recv(connFd, buffer.subarray(used), LINE_MAX - used, 0)
    const bytes = buffer.subarray(0, used + received)
    if (received === 0) {
      if (!stopping()) sendAll(connFd, bytes.reverse()) // the last line may lack its newline
      return 'closed'
    }
    let start = 0
    let end = bytes.indexOf(NEWLINE, used) // only the new bytes can hold one
    while (end !== -1) {
      sendAll(connFd, bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    bytes.copyWithin(0, start) // keep the beginning of the next line
    used = bytes.length - start
  }
  return `no end of line in ${LINE_MAX} bytes:`
}
// #endregion serve

function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

// console.log in a thread waits until the main thread turns to it. A write does not.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
