// Some processes with some threads each, all of which wait in accept on one listening socket.
// usage: node processes-and-threads-server.ts PORT [HOST [PROCESSES [THREADS]]]

import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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
  shutdown,
  sockaddr,
  sockaddr_storage,
  socket,
  startThread,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

interface Given {
  me: number
  connections: Int32Array
}
// What stands in a thread's place in connections, if not the descriptor of its connection:
const NONE = -1 // it has none
const STOP = -2 // it shall take no more

// #region roles
// One file, three roles.
if (!isMainThread) acceptAndServe(workerData as Given)
else if (process.argv[2] === 'worker') runThreads(Number(process.argv[3]))
else supervise()
// #endregion roles

// #region supervise
function supervise(): void {
  const [port = '', host = '127.0.0.1', count = '2', threads = '2'] = process.argv.slice(2)
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || ![count, threads].every((text) => /^[1-9]\d{0,2}$/.test(text))) {
    const args = 'PORT [HOST [PROCESSES [THREADS]]]'
    console.error(`usage: node processes-and-threads-server.ts ${args}`)
    process.exit(2)
  }

  try {
    const addr = sockaddr(host, Number(port))
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    const address = format(getsockname(listenFd, addr))

    const processes = new Set<ChildProcess>()
    let ready = 0
    let stopping = false
    for (let i = 0; i < Number(count); i++) start()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)

    function start(): void {
      if (stopping) return
      const file = fileURLToPath(import.meta.url)
      const child = spawn(process.execPath, [...process.execArgv, file, 'worker', threads], {
        stdio: ['ignore', 'inherit', 'inherit', listenFd, 'ipc'], // the socket is its descriptor 3
      })
      processes.add(child)
      child.on('message', () => {
        ready++
        if (ready === Number(count)) log(`listening on ${address}`)
      })
      const again = (how: string): void => {
        processes.delete(child)
        if (stopping) return
        log(how)
        setTimeout(start, RESTART_DELAY) // not at once: it may fail again
      }
      child.on('error', (error) => again(error.message))
      child.on('exit', (status, signal) => {
        again(`pid ${child.pid} ended: ${signal ?? `status ${status}`}`)
      })
    }

    function stop(): void {
      stopping = true
      tryShutdown(listenFd, SHUT_RDWR) // wakes every accept, in all threads of all processes
      for (const child of processes) if (child.connected) child.disconnect()
    }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
// #endregion supervise

// #region process
/** One of the processes: its main thread starts the others and waits for the end. */
function runThreads(count: number): void {
  const connections = new Int32Array(new SharedArrayBuffer(4 * count)).fill(NONE)
  let ready = 0
  for (const me of connections.keys()) {
    const thread = startThread(import.meta.url, { me, connections } satisfies Given)
    thread.on('message', () => {
      ready++
      // The parent may be gone by then: with a callback that is no error here.
      if (ready === count) process.send?.('ready', () => {})
    })
    // Another process takes our place. An end in order would need a shutdown, which is for all.
    thread.on('error', (error: Error) => {
      writeSync(2, `pid ${process.pid}: ${error.message}\n`)
      _exit(1)
    })
  }
  process.on('SIGINT', () => {}) // Ctrl+C is sent to all of us: the supervisor decides
  // It does so, or it has been killed, perhaps before we came this far.
  if (process.connected) process.once('disconnect', () => stop(connections))
  else stop(connections)
}

/** The end in order of 2.5. */
function stop(connections: Int32Array): void {
  tryShutdown(3, SHUT_RDWR)
  const all = Array.from(connections, (_, i) => Atomics.exchange(connections, i, STOP))
  const open = all.filter((connFd) => connFd !== NONE && connFd !== STOP)
  for (const connFd of open) tryShutdown(connFd, SHUT_RD)
  setTimeout(() => {
    for (const connFd of open) tryShutdown(connFd, SHUT_RDWR)
  }, STOP_LIMIT).unref()
}
// #endregion process

function tryShutdown(fd: number, how: number): void {
  try {
    shutdown(fd, how)
  } catch {
    // ENOTCONN: it is over already.
  }
}

// #region thread
/** One of the threads: an iterative server for itself. */
function acceptAndServe({ me, connections }: Given): void {
  const name = `pid ${process.pid} thread ${me + 1}`
  const buffer = Buffer.alloc(LINE_MAX)
  const peer = sockaddr_storage()
  parentPort!.postMessage('ready')
  for (;;) {
    const connFd = acceptNext(3, peer)
    if (connFd === undefined) return
    if (Atomics.compareExchange(connections, me, NONE, connFd) === STOP) return close(connFd)
    log(`${name} serves ${format(peer)}`)
    try {
      log(`${name}: ${serve(connFd, buffer, () => Atomics.load(connections, me) === STOP)}`)
    } catch (error) {
      if ((error as SystemError).syscall === undefined) throw error
      log(`${name}: ${(error as SystemError).message}`)
    } finally {
      if (Atomics.compareExchange(connections, me, connFd, NONE) === connFd) close(connFd)
      else tryShutdown(connFd, SHUT_WR) // stop knows the number; the end of the process closes it
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
  return `no end of line in ${LINE_MAX} bytes`
}

function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

// console.log in a thread waits until the main thread turns to it. A write does not.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
