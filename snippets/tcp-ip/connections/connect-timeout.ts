// How many SYNs a connect sends before it gives up, and how long that takes.
// usage: node connect-timeout.ts [TCP_SYNCNT [LINEAR]] (in a network of its own:
// unshare -Urn node connect-timeout.ts)

import { writeFileSync } from 'node:fs'
import {
  AF_INET,
  AF_PACKET,
  CLONE_NEWNET,
  ETH_P_IP,
  IPPROTO_TCP,
  POLLIN,
  POLLOUT,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  type SystemError,
  TCP_SYNCNT,
  TH_ACK,
  TH_SYN,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  getsockoptInt,
  htons,
  listen,
  packet,
  poll,
  pollfds,
  setInterfaceUp,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  unshare,
} from '#posix'

const [count = '1', linear = '0', ...more] = process.argv.slice(2)
if (!/^[1-6]$/.test(count) || !/^[0-9]$/.test(linear) || more.length > 0) {
  console.error('usage: node connect-timeout.ts [TCP_SYNCNT [LINEAR]]')
  process.exit(2)
}

// #region schedule
/** Seconds from each SYN to the next, and from the last one to the end. */
function schedule(retries: number, linear: number): number[] {
  const equal = Array.from({ length: linear }, () => 1)
  const doubling = Array.from({ length: retries + 1 }, (_, i) => 2 ** i)
  return [...equal, ...doubling]
}

for (const [what, retries, equal] of [
  ['TCP_SYNCNT 1', 1, 0],
  ['tcp_syn_retries 6, until Linux 6.4', 6, 0],
  ['tcp_syn_linear_timeouts 4, since Linux 6.5', 6, 4],
] as const) {
  const waits = schedule(retries, equal)
  const total = waits.reduce((sum, wait) => sum + wait, 0)
  console.log(`${what}: ${waits.length} SYNs, ${waits.join(' + ')} = ${total} s`)
}
// #endregion schedule

let wireFd: number
try {
  unshare(CLONE_NEWNET) // a network of our own, whose settings may be changed
  setInterfaceUp('lo')
  setLinear(linear)
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region silent
// A queue that is full: the kernel drops each further SYN without an answer.
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 0)
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))
const first = socket(AF_INET, SOCK_STREAM, 0)
connect(first, address)
// #endregion silent

// #region connect
const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, Number(count)) // SYNs after the first one
const began = performance.now()
try {
  connect(fd, address)
} catch (error) {
  console.log(`connect: ${(error as SystemError).code}`)
}
const { port } = endpoint(getsockname(fd, sockaddr_in('127.0.0.1', 0)))
const fds = pollfds(2)
fds.set(0, wireFd, POLLIN)
fds.set(1, fd, POLLOUT)
do {
  poll(fds, 2, -1)
  while (fds.revents(0) & POLLIN) {
    note()
    poll(fds, 2, 0)
  }
} while (fds.revents(1) === 0)
const { code } = systemError('connect', -getsockoptInt(fd, SOL_SOCKET, SO_ERROR))
const elapsed = performance.now() - began
console.log(`${code} after ${elapsed.toFixed()} ms`)
// #endregion connect

const due = schedule(Number(count), Number(linear)).reduce((sum, wait) => sum + wait, 0)
// Every timer may be late, and none is early.
console.log(`not before ${due} s: ${elapsed > due * 1000 - 100}`)
for (const open of [fd, first, listenFd, wireFd]) close(open)

function note(): void {
  const buf = Buffer.alloc(2048)
  const { source, tcp } = packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
  const isSyn = tcp !== undefined && (tcp.flags & (TH_SYN | TH_ACK)) === TH_SYN
  if (!isSyn || source.port !== port) return
  console.log(`SYN after ${(performance.now() - began).toFixed()} ms`)
}

/** How many of the first waits are not doubled. Before Linux 6.5 there is no such setting. */
function setLinear(timeouts: string): void {
  const file = '/proc/sys/net/ipv4/tcp_syn_linear_timeouts'
  try {
    writeFileSync(file, timeouts)
  } catch (error) {
    if (timeouts !== '0' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
