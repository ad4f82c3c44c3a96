// Connects to the first of several addresses that answers.
// usage: node exercise-happy-eyeballs.ts PORT ADDRESS ...

import { writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  type SystemError,
  close,
  connect,
  family,
  format,
  getsockoptInt,
  poll,
  pollfds,
  sockaddr,
  socket,
  systemError,
} from '#posix'

const [port = '', ...hosts] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || hosts.length === 0 || !hosts.every((host) => isIP(host) !== 0)) {
  console.error('usage: node exercise-happy-eyeballs.ts PORT ADDRESS ...')
  process.exit(2)
}

const DELAY = 250 // milliseconds from one attempt to the next. RFC 8305, section 5
const LIMIT = 10_000 // for all of it
const start = performance.now()
const elapsed = (): number => Math.round(performance.now() - start)

const waiting = hosts.map((host) => sockaddr(host, Number(port)))
const pending = new Map<number, Buffer>() // descriptors, and where each connects to
let next = 0 // when the next attempt is due
let winner: Buffer | undefined

// #region race
while (winner === undefined && waiting.length + pending.size > 0 && elapsed() < LIMIT) {
  if (waiting.length > 0 && elapsed() >= next) attempt(waiting.shift()!)
  for (const fd of ready((waiting.length > 0 ? next : LIMIT) - elapsed())) {
    const addr = pending.get(fd)!
    const errno = getsockoptInt(fd, SOL_SOCKET, SO_ERROR)
    if (errno === 0) winner ??= addr
    else fail(fd, systemError('connect', -errno, addr))
  }
}
log(winner === undefined ? 'no connection' : `connected to ${format(winner)} after ${elapsed()} ms`)
for (const fd of pending.keys()) close(fd) // a client would keep the winner's
process.exit(winner === undefined ? 1 : 0)
// #endregion race

// #region attempt
function attempt(addr: Buffer): void {
  log(`${format(addr)}: attempt`)
  next = elapsed() + DELAY
  let fd = -1
  try {
    fd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    pending.set(fd, addr)
    connect(fd, addr)
  } catch (error) {
    if ((error as SystemError).code !== 'EINPROGRESS') fail(fd, error as SystemError)
  }
}

function fail(fd: number, error: SystemError): void {
  log(error.message)
  if (pending.delete(fd)) close(fd) // a host without IPv6 has no socket for it
  next = 0 // an attempt that has failed is not waited for
}
// #endregion attempt

/** The attempts that have an outcome; waits for one, but not for long. */
function ready(milliseconds: number): number[] {
  const all = [...pending.keys()]
  if (all.length === 0) return [] // the last one has failed at once
  const fds = pollfds(all.length)
  for (const [i, fd] of all.entries()) fds.set(i, fd, POLLOUT)
  try {
    poll(fds, all.length, Math.max(0, milliseconds))
  } catch (error) {
    if ((error as SystemError).code !== 'EINTR') throw error
  }
  return all.filter((_fd, i) => fds.revents(i) !== 0)
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
