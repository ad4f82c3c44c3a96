// SO_KEEPALIVE and TCP_USER_TIMEOUT: the timers that notice a peer that does not answer
// any more.
// usage: node dead-peer.ts

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  TCP_KEEPIDLE,
  TCP_USER_TIMEOUT,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  recv,
  setsockopt,
  sockaddr_in,
  socket,
  trySend,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const fd = socket(AF_INET, SOCK_STREAM, 0)
connect(fd, getsockname(listenFd, addr))
const peerFd = accept(listenFd)

// #region keepalive
console.log(`at first: ${timer()}`)
setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 3000)
console.log(`SO_KEEPALIVE, TCP_KEEPIDLE 3000: ${timer()}`)
setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1000)
console.log(`TCP_KEEPIDLE 1000: ${timer()}`)
setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 0)
console.log(`SO_KEEPALIVE 0: ${timer()}`)
// #endregion keepalive

// #region user-timeout
setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 500)
const buf = Buffer.alloc(64 * 1024)
while (trySend(fd, buf, buf.length, MSG_DONTWAIT) > 0); // until the peer has no room
const began = performance.now()
try {
  recv(fd, buf, buf.length, 0)
} catch (error) {
  const { code } = error as NodeJS.ErrnoException
  console.log(`recv: ${code} after ${Math.round(performance.now() - began)} ms`)
}
// #endregion user-timeout
for (const open of [fd, peerFd, listenFd]) close(open)

// #region timer
/** The timer of our connection, and when it runs out. proc(5): tr tm->when, in 1/100 s */
function timer(): string {
  const here = hexPort(getsockname(fd, sockaddr_in('127.0.0.1', 0)))
  const there = hexPort(addr)
  const rows = readFileSync('/proc/thread-self/net/tcp', 'latin1').split('\n').slice(1)
  const cells = rows
    .map((row) => row.trim().split(/\s+/))
    .find((row) => row[1]?.endsWith(here) && row[2]?.endsWith(there))!
  const [kind, when] = cells[5]!.split(':').map((number) => Number.parseInt(number, 16))
  if (kind !== 2) return kind === 0 ? 'no timer' : `timer ${kind}`
  return `the keepalive timer, in about ${Math.round(when! / 100 / 100) * 100} s`
}

function hexPort(addr: Buffer): string {
  return `:${endpoint(addr).port!.toString(16).toUpperCase().padStart(4, '0')}`
}
// #endregion timer
