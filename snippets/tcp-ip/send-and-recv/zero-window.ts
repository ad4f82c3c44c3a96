// A receiver that does not read, and what the sender does until it does.
// usage: node zero-window.ts (needs CAP_NET_RAW: unshare -Urn node zero-window.ts, with lo up)

import {
  AF_INET,
  AF_PACKET,
  ETH_P_IP,
  MSG_DONTWAIT,
  POLLIN,
  POLLOUT,
  type Packet,
  SOCK_DGRAM,
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
  htons,
  listen,
  packet,
  poll,
  pollfds,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'

const LITTLE = 16_384 // bytes
const PROBES = 3
const LIMIT = 5000 // ms
const EARLIEST = 180 // ms: TCP_RTO_MIN in Linux's include/net/tcp.h is 200, a tenth for the clocks

const buf = Buffer.alloc(65_536)
let wireFd: number
try {
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
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
} while (result > 0 || has(clientFd, POLLOUT, 0))
console.log(`the client's send: ${systemError('send', result).code}`)
let heard = nextPacket()
while (heard.source.port === port || heard.tcp!.window > 0) heard = nextPacket()
console.log(`the server's last word: window ${heard.tcp!.window}`)
// #endregion fill

// #region probes
let last = performance.now()
let isLate = true
for (let probes = 0; probes < PROBES;) {
  const { source, bytes } = nextPacket()
  if (source.port !== port) continue
  const now = performance.now()
  console.log(`a probe after ${(now - last).toFixed()} ms, with ${bytes} bytes`)
  last = now
  probes++
  // After 1, 3 and 7 times the shortest: a busy machine can only make it later.
  isLate &&= now - began > EARLIEST * (2 ** probes - 1)
}
console.log(`none before ${EARLIEST}, ${3 * EARLIEST} and ${7 * EARLIEST} ms: ${isLate}`)
// #endregion probes

// #region read
let read = 0
while (read < sent) read += tryRecv(serverFd, buf, buf.length, 0)
console.log(`the server has read ${read === sent ? 'all' : 'a part'} of what was sent`)
console.log(`the client may send: ${has(clientFd, POLLOUT, LIMIT)}`)
// #endregion read
for (const fd of [clientFd, serverFd, listenFd]) close(fd)

/** The next segment that arrives, on either side. */
function nextPacket(): Packet {
  if (!has(wireFd, POLLIN, LIMIT)) throw new Error(`no packet within ${LIMIT} ms`)
  return packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
}

function has(fd: number, events: number, limit: number): boolean {
  const fds = pollfds(1)
  fds.set(0, fd, events)
  return poll(fds, 1, limit) > 0
}
