// Which calls a signal interrupts, and what becomes of a connect.
// usage: node interrupted.ts ADDRESS PORT

import { writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  AF_INET,
  POLLIN,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  family,
  getsockname,
  getsockoptInt,
  listen,
  poll,
  pollfds,
  recv,
  setNonBlocking,
  setsockopt,
  sockaddr,
  socket,
  timeval,
} from '#posix'

const [host = '', port = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node interrupted.ts ADDRESS PORT')
  process.exit(2)
}

const LIMIT = 60_000 // milliseconds
const fds = pollfds(1)
const byte = Buffer.alloc(1)

// #region calls
process.on('SIGWINCH', () => {}) // that it has a handler is enough

const addr = sockaddr(host, Number(port))
const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
connect(fd, addr)

attempt('recv', () => recv(fd, byte, 1, 0))

setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(LIMIT))
attempt('recv with a limit', () => recv(fd, byte, 1, 0))

fds.set(0, fd, POLLIN)
attempt('poll', () => poll(fds, 1, LIMIT))
close(fd)
// #endregion calls

// #region connect
const [listenFd, full] = fullQueue()
const pending = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
setsockopt(pending, SOL_SOCKET, SO_SNDTIMEO, timeval(LIMIT))
attempt('connect with a limit', () => connect(pending, full))

setNonBlocking(pending)
attempt('connect again', () => connect(pending, full))

close(accept(listenFd)) // there is room for it now
fds.set(0, pending, POLLOUT)
attempt('poll', () => poll(fds, 1, LIMIT))
attempt('SO_ERROR', () => getsockoptInt(pending, SOL_SOCKET, SO_ERROR))
attempt('connect again', () => connect(pending, full))
attempt('connect again', () => connect(pending, full))
// #endregion connect
process.exit()

/** Makes the call, and tells what came of it. */
function attempt(what: string, call: () => number | void): void {
  let result
  try {
    result = call() ?? 'done'
  } catch (error) {
    result = (error as SystemError).code
  }
  writeSync(1, `${what}: ${result}\n`)
}

/** A socket that listens, and its address: its queue holds one connection and is full. */
function fullQueue(): [listenFd: number, addr: Buffer] {
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  const addr = sockaddr('127.0.0.1', 0)
  bind(listenFd, addr)
  listen(listenFd, 0)
  getsockname(listenFd, addr)
  const first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  connect(first, addr)
  close(first) // it stays in the queue
  return [listenFd, addr]
}
