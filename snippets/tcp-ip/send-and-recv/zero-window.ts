// A receiver that does not read, and what the sender does until it does.
// usage: node zero-window.ts (needs CAP_NET_RAW: unshare -Urn node zero-window.ts, with lo up)

import {
  AF_INET,
  MSG_DONTWAIT,
  POLLOUT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_SNDBUF,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  poll,
  pollfds,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'
import { nextPacket, openWire, packets } from './wire.ts'

const LITTLE = 16_384 // bytes
const PROBES = 3
const SHORTEST = 200 // ms, TCP_RTO_MIN in Linux's include/net/tcp.h

const buf = Buffer.alloc(65_536)
let wireFd: number
try {
  wireFd = openWire()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, LITTLE)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(clientFd, SOL_SOCKET, SO_SNDBUF, LITTLE)
connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
const serverFd = accept(listenFd)
const port = endpoint(getsockname(clientFd, sockaddr_in('127.0.0.1', 0))).port!

// #region fill
const began = performance.now()
let sent = 0
let result = 0
do {
  result = trySend(clientFd, buf, buf.length, MSG_DONTWAIT)
  if (result > 0) sent += result
} while (result > 0 || hasRoom(0))
console.log(`the client's send: ${systemError('send', result).code}`)
console.log(`the server's last word: window ${packets(wireFd, port).at(-1)!.tcp!.window}`)
// #endregion fill

// #region probes
let last = performance.now()
for (let probes = 0; probes < PROBES;) {
  const packet = nextPacket(wireFd)
  if (packet.from !== port) continue
  const now = performance.now()
  console.log(`a probe after ${(now - last).toFixed()} ms, with ${packet.bytes} bytes`)
  last = now
  probes++
}
const longer = last - began > 2 * PROBES * SHORTEST
console.log(`the pauses grow: ${longer}`)
// #endregion probes

// #region read
let read = 0
while (read < sent) read += tryRecv(serverFd, buf, buf.length, 0)
console.log(`the server has read ${read === sent ? 'all' : 'a part'} of what was sent`)
console.log(`the client may send: ${hasRoom(1000)}`)
// #endregion read
for (const fd of [clientFd, serverFd, listenFd]) close(fd)

function hasRoom(timeout: number): boolean {
  const fds = pollfds(1)
  fds.set(0, clientFd, POLLOUT)
  return poll(fds, 1, timeout) > 0
}
