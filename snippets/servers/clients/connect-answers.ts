// What a non-blocking connect, poll and SO_ERROR say, in four cases.
// usage: node connect-answers.ts

import { writeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import {
  POLLERR,
  POLLHUP,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  type SystemError,
  bind,
  close,
  connect,
  family,
  getsockname,
  getsockoptInt,
  listen,
  poll,
  pollfds,
  sockaddr,
  sockaddr_un,
  socket,
} from '#posix'

const LIMIT = 300 // milliseconds
const nobody = sockaddr('127.0.0.1', 1)

try {
  const free = listening(sockaddr('127.0.0.1', 0))
  ask('somebody listens', free)
  ask('nobody listens', nobody)
  ask('the queue is full', free) // by the first one, which nobody has accepted
  ask('on this host, by a Unix socket', listening(sockaddr_un(`\0connect-answers-${process.pid}`)))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region ask
function ask(what: string, addr: Buffer): void {
  const fd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  log(`${what}:`)
  const answer = result(() => connect(fd, addr))
  log(`  connect: ${answer}`)
  if (answer === 'EINPROGRESS') {
    const fds = pollfds(1)
    fds.set(0, fd, POLLOUT)
    const start = performance.now()
    const found = poll(fds, 1, LIMIT)
    const elapsed = `after ${Math.round(performance.now() - start)} ms`
    log(`  poll: ${found === 0 ? `nothing ${elapsed}` : names(fds.revents(0))}`)
    log(`  SO_ERROR: ${errorOf(fd)}, and asked again: ${errorOf(fd)}`)
  }
  close(fd) // the connection stays in the queue all the same
}

/** The error of the socket, which is no longer there once it has been told. socket(7) */
function errorOf(fd: number): string {
  const errno = getsockoptInt(fd, SOL_SOCKET, SO_ERROR)
  return errno === 0 ? '0' : getSystemErrorName(-errno)
}
// #endregion ask

function names(revents: number): string {
  const events = { POLLOUT, POLLERR, POLLHUP }
  return Object.entries(events)
    .filter(([, bit]) => (revents & bit) !== 0)
    .map(([name]) => name)
    .join(' ')
}

function result(act: () => void): string {
  try {
    act()
    return 'done'
  } catch (error) {
    return (error as SystemError).code
  }
}

/** Listens there, with a queue for one, and returns the address. */
function listening(addr: Buffer): Buffer {
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(listenFd, addr)
  listen(listenFd, 0)
  return getsockname(listenFd, addr)
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
