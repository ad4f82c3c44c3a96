// One of the processes ends in order while the others go on. Its threads wait for two things: for
// a client, and for the end. SIGHUP replaces one process by a new one.
// usage: node exercise-one-ends.ts PORT [HOST [PROCESSES [THREADS]]]

import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  AF_UNIX,
  EMFILE,
  ENFILE,
  ENOMEM,
  POLLIN,
  type SystemError,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  poll,
  pollfds,
  recv,
  send,
  setNonBlocking,
  setsockopt,
  sockaddr,
  socket,
  socketpair,
  startThread,
  systemError,
  tryAccept,
} from '#posix'

if (!isMainThread) acceptAndServe(workerData as number)
else if (process.argv[2] === 'worker') runThreads(Number(process.argv[3]))
else supervise()

function supervise(): void {
  const [port = '', host = '127.0.0.1', count = '2', threads = '2'] = process.argv.slice(2)
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || ![count, threads].every((text) => /^[1-9]\d{0,2}$/.test(text))) {
    console.error('usage: node exercise-one-ends.ts PORT [HOST [PROCESSES [THREADS]]]')
    process.exit(2)
  }

  try {
    const addr = sockaddr(host, Number(port))
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    setNonBlocking(listenFd) // for all processes: the flag belongs to the socket
    const address = format(getsockname(listenFd, addr))

    const processes = new Set<ChildProcess>()
    let ready = 0
    for (let i = 0; i < Number(count); i++) start()

    function start(): void {
      const file = fileURLToPath(import.meta.url)
      const child = spawn(process.execPath, [...process.execArgv, file, 'worker', threads], {
        stdio: ['ignore', 'inherit', 'inherit', listenFd, 'ipc'],
      })
      processes.add(child)
      child.on('message', () => {
        ready++
        if (ready === Number(count)) log(`listening on ${address}`)
        if (ready > Number(count)) log(`pid ${child.pid} is ready`)
      })
      child.on('exit', () => {
        processes.delete(child)
        log(`pid ${child.pid} has ended`)
      })
    }

    // #region replace
    process.on('SIGHUP', () => {
      const oldest = [...processes].find((child) => child.connected) // others end already
      oldest?.disconnect()
      start()
    })
    // #endregion replace
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        for (const child of processes) if (child.connected) child.kill('SIGTERM')
      })
    }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}

// #region process
function runThreads(count: number): void {
  // What is closed here is noticed there, by every thread that polls the other end.
  const [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  let ready = 0
  for (let i = 0; i < count; i++) {
    const thread = startThread(import.meta.url, theirs)
    thread.on('message', () => {
      ready++
      // The parent may be gone by then: with a callback that is no error here.
      if (ready === count) process.send?.('ready', () => {})
    })
  }
  // The supervisor may have closed the channel before we came this far.
  if (process.connected) process.once('disconnect', () => close(ours))
  else close(ours)
}
// #endregion process

// #region thread
function acceptAndServe(endFd: number): void {
  const buffer = Buffer.alloc(65_536)
  const fds = pollfds(2)
  fds.set(0, 3, POLLIN)
  fds.set(1, endFd, POLLIN)
  parentPort!.postMessage('ready')
  for (;;) {
    poll(fds, 2, -1)
    if (fds.revents(1) !== 0) return // the end; the client that we had has been served to its own
    const connFd = tryAccept(3, undefined, SOCK_CLOEXEC)
    if ([-EMFILE, -ENFILE, -ENOMEM].includes(connFd)) throw systemError('accept', connFd)
    if (connFd < 0) continue // another thread was faster, or the client has gone. accept(2)
    serve(connFd, buffer)
  }
}
// #endregion thread

// An echo server will do.
function serve(connFd: number, buffer: Buffer): void {
  try {
    for (;;) {
      const received = recv(connFd, buffer, buffer.length, 0)
      if (received === 0) break
      sendAll(connFd, buffer.subarray(0, received))
    }
  } catch (error) {
    if ((error as SystemError).syscall === undefined) throw error
    log(`pid ${process.pid}: ${(error as SystemError).message}`)
  } finally {
    close(connFd)
  }
}

function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
