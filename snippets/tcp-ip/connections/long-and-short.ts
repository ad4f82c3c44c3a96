// The same requests over one connection, and over a connection each.
// usage: node long-and-short.ts (in a network of its own: unshare -Urn node long-and-short.ts)

import { readFileSync, writeFileSync } from 'node:fs'
import {
  AF_INET,
  AF_PACKET,
  CLONE_NEWNET,
  ETH_P_IP,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TH_FIN,
  TH_SYN,
  accept,
  bind,
  close,
  connect,
  getsockname,
  htons,
  listen,
  packet,
  poll,
  pollfds,
  recv,
  send,
  sendto,
  setInterfaceUp,
  setsockopt,
  sockaddr_in,
  socket,
  tryRecv,
  unshare,
} from '#posix'

const REQUESTS = 50
const ROUNDS = 5 // the fastest one counts: the others were disturbed
const TIME_WAIT = '06' // proc(5)
const LIMIT = 5000 // ms

const request = Buffer.from('question')
const reply = Buffer.from('the answer')
const buf = Buffer.alloc(65_536)
let calls = 0
let wireFd: number
try {
  unshare(CLONE_NEWNET) // a network of our own, whose settings may be changed
  setInterfaceUp('lo')
  writeFileSync('/proc/sys/net/ipv4/tcp_tw_reuse', '0') // each TIME_WAIT lasts its minute
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
  setsockopt(wireFd, SOL_SOCKET, SO_RCVBUF, 4 << 20)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))

console.log(`${REQUESTS} requests | calls | SYN | FIN | data | TIME_WAIT | a request`)
measure('one', long)
measure('one each', short)

// #region two-ways
function long(): void {
  const [clientFd, connFd] = open()
  for (let i = 0; i < REQUESTS; i++) exchange(clientFd, connFd)
  end(clientFd, connFd)
}

function short(): void {
  for (let i = 0; i < REQUESTS; i++) {
    const [clientFd, connFd] = open()
    exchange(clientFd, connFd)
    end(clientFd, connFd)
  }
}
// #endregion two-ways

// #region calls
// Both sides are in this one program; what is counted is the client's calls.
function open(): [clientFd: number, connFd: number] {
  const clientFd = counted(socket(AF_INET, SOCK_STREAM, 0))
  counted(connect(clientFd, address))
  return [clientFd, accept(listenFd)]
}

function exchange(clientFd: number, connFd: number): void {
  counted(send(clientFd, request, request.length, 0))
  recv(connFd, buf, buf.length, 0)
  send(connFd, reply, reply.length, 0)
  counted(recv(clientFd, buf, buf.length, 0))
}

function end(clientFd: number, connFd: number): void {
  counted(close(clientFd))
  recv(connFd, buf, buf.length, 0) // 0
  close(connFd)
}

function counted<T>(result: T): T {
  calls++
  return result
}
// #endregion calls

function measure(name: string, way: () => void): void {
  segments() // what has been before is not ours
  const waiting = timeWaits()
  calls = 0
  way()
  const cells = [calls, ...segments(), timeWaits() - waiting]
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    way()
    best = Math.min(best, performance.now() - began)
  }
  const each = `${Math.round((best / REQUESTS) * 1000)} µs`
  console.log([name, ...cells, each].join(' | '))
}

/** What has been on the wire. A mark behind it says that all of it has been seen. */
function segments(): [syn: number, fin: number, data: number] {
  const markFd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(markFd, sockaddr_in('127.0.0.1', 0))
  sendto(markFd, Buffer.from('mark'), 4, 0, getsockname(markFd, sockaddr_in('127.0.0.1', 0)))
  close(markFd)
  let [syn, fin, data] = [0, 0, 0]
  for (;;) {
    const fds = pollfds(1)
    fds.set(0, wireFd, POLLIN)
    if (poll(fds, 1, LIMIT) === 0) throw new Error(`no packet within ${LIMIT} ms`)
    const { bytes, tcp } = packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
    if (tcp === undefined) return [syn, fin, data]
    if (tcp.flags & TH_SYN) syn++
    if (tcp.flags & TH_FIN) fin++
    if (bytes > 0) data++
  }
}

function timeWaits(): number {
  const rows = readFileSync('/proc/thread-self/net/tcp', 'latin1').trim().split('\n').slice(1)
  return rows.filter((row) => row.trim().split(/\s+/)[3] === TIME_WAIT).length
}
