// A pool of processes that all wait in accept on the same listening socket.
// usage: node prefork-server.ts PORT [HOST [PROCESSES]]

import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import {
  PR_SET_PDEATHSIG,
  SHUT_RDWR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  type SystemError,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  prctl,
  recv,
  send,
  setsockopt,
  shutdown,
  sockaddr,
  sockaddr_storage,
  socket,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

if (process.argv[2] !== 'worker') supervise()
else {
  try {
    work(Number(process.argv[3]))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

function supervise(): void {
  const [port = '', host = '127.0.0.1', processes = '2'] = process.argv.slice(2)
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || !/^[1-9]\d{0,2}$/.test(processes)) {
    console.error('usage: node prefork-server.ts PORT [HOST [PROCESSES]]')
    process.exit(2)
  }

  const workers = new Set<ChildProcess>()
  let stopping = false
  let ready = 0

  try {
    const addr = sockaddr(host, Number(port))
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    getsockname(listenFd, addr)
    process.once('SIGTERM', () => stop(listenFd))
    process.once('SIGINT', () => stop(listenFd))
    for (let i = 0; i < Number(processes); i++) start(listenFd, format(addr))
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }

  // #region start
  function start(listenFd: number, address: string): void {
    if (stopping) return
    const args = [import.meta.filename, 'worker', `${process.pid}`]
    // Its descriptor 3 is the listening socket, 4 a pipe on which it says that it is ready.
    const worker = spawn(process.execPath, [...process.execArgv, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', listenFd, 'pipe'],
    })
    const again = (how: string): void => {
      workers.delete(worker)
      if (stopping) return
      console.log(how)
      setTimeout(() => start(listenFd, address), RESTART_DELAY) // it may fail again
    }
    worker.on('error', (error) => again(error.message))
    worker.on('exit', (status, signal) =>
      again(`pid ${worker.pid} ended: ${signal ?? `status ${status}`}`),
    )
    if (worker.pid === undefined) return
    workers.add(worker)
    const pipe = worker.stdio[4] as Readable
    pipe.once('data', () => {
      ready++
      if (ready === Number(processes)) console.log(`listening on ${address}`)
    })
  }
  // #endregion start

  // #region stop
  function stop(listenFd: number): void {
    if (stopping) return
    stopping = true
    shutdown(listenFd, SHUT_RDWR) // ends every accept on it, in every process
    close(listenFd)
    setTimeout(() => {
      for (const worker of workers) worker.kill('SIGTERM')
    }, STOP_LIMIT).unref()
  }
  // #endregion stop
}

// #region work
// One client after another, as in 2.2. The other workers do the same meanwhile.
function work(parent: number): void {
  // Whoever kills the parent with SIGKILL ends us too: nobody else would.
  prctl(PR_SET_PDEATHSIG, constants.signals.SIGTERM)
  if (process.ppid !== parent) return // it has ended already

  writeSync(4, 'ready')
  const buffer = Buffer.alloc(LINE_MAX)
  const peer = sockaddr_storage()
  for (;;) {
    const connFd = acceptNext(3, peer)
    if (connFd === undefined) return
    log(`pid ${process.pid} serves ${format(peer)}`)
    try {
      log(`pid ${process.pid}: ${serve(connFd, buffer)}`)
    } catch (error) {
      if ((error as SystemError).syscall === undefined) throw error
      log(`pid ${process.pid}: ${(error as SystemError).message}`)
    } finally {
      close(connFd)
    }
  }
}
// #endregion work

// #region accept
function acceptNext(listenFd: number, peer: Buffer): number | undefined {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept4(listenFd, peer, SOCK_CLOEXEC)
    } catch (error) {
      const { code } = error as SystemError
      if (code === 'EINVAL') return undefined // it has been shut down
      if (!gone.includes(code)) throw error
    }
  }
}
// #endregion accept

function serve(connFd: number, buffer: Buffer): string {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const received = recv(connFd, buffer.subarray(used), LINE_MAX - used, 0)
    const bytes = buffer.subarray(0, used + received)
    if (received === 0) {
      sendAll(connFd, bytes.reverse()) // the last line may lack its newline
      return 'closed'
    }
    let start = 0
    let end = bytes.indexOf(NEWLINE, used)
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

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
