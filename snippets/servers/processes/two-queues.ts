// Two listening sockets on one port, and what becomes of the clients that wait when one
// of the two is closed.
// usage: node two-queues.ts

import { setTimeout as wait } from 'node:timers/promises'
import {
  AF_INET,
  ECONNRESET,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEPORT,
  TCP_INFO,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const [first, second] = [listener(), listener()]
const clients: number[] = []
const resets = new Set<number>()

// #region connect
// Nobody accepts. One client after another, until both queues hold three at least.
while (waiting(first) < 3 || waiting(second) < 3) {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  connect(fd, addr)
  clients.push(fd)
  while (waiting(first) + waiting(second) < clients.length) await wait(1)
}
// #endregion connect
console.log('two listening sockets, and clients in the queue of each')

// #region close
const inFirst = waiting(first)
close(first)
while (clients.filter(isReset).length < inFirst) await wait(1)
// #endregion close
console.log('the first is closed: as many clients are reset as were in its queue')

const left = clients.filter((fd) => !isReset(fd)).length
console.log(`the others wait for the second: ${left === waiting(second) ? 'yes' : 'no'}`)
process.exit()

function listener(): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1)
  bind(fd, addr)
  getsockname(fd, addr) // the second takes the port that the first was given
  listen(fd, SOMAXCONN)
  return fd
}

// #region waiting
// How many connections are in the accept queue: for a listening socket, tcpi_unacked.
function waiting(fd: number): number {
  const info = Buffer.alloc(104)
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
  return new Uint32Array(info.buffer, info.byteOffset + 24, 1)[0]!
}
// #endregion waiting

// A reset stays for the next call, which takes it: so it is noted.
function isReset(fd: number): boolean {
  if (tryRecv(fd, Buffer.alloc(1), 1, MSG_DONTWAIT) === -ECONNRESET) resets.add(fd)
  return resets.has(fd)
}
