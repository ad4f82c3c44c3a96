// One connection, packet by packet: two hosts, and this program is the wire between them. What one
// sends waits here until it is passed on, or is lost.
// usage: node one-connection.ts four|three|reset|lost (in a network of its own: unshare -Urn …)

import { openSync, readSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  POLLIN,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  TCP_QUICKACK,
  TH_ACK,
  TH_FIN,
  TH_RST,
  TH_SYN,
  type Wire,
  accept4,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  getsockoptInt,
  listen,
  packet,
  poll,
  pollfds,
  setInterfaceMtu,
  setsockopt,
  shutdown,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
  wire,
} from '#posix'

const scenes = { four, three, reset, lost }
const [name = '', ...more] = process.argv.slice(2)
if (!Object.hasOwn(scenes, name) || more.length > 0) {
  console.error('usage: node one-connection.ts four|three|reset|lost')
  process.exit(2)
}

const LIMIT = 5000 // ms
// include/net/tcp_states.h
const states = ['', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT_1', 'FIN_WAIT_2', 'TIME_WAIT']
states.push('CLOSED', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING')

/** One of the two hosts: its wire, its /proc/net/tcp, and the first number that it has sent, from which the others are told. */
interface Side {
  name: 'client' | 'server'
  address: string
  wire: Wire
  tcpFd: number
  first: number
}

let client: Side
let server: Side
try {
  client = side('client', '10.0.0.1')
  server = side('server', '10.0.0.2')
  client.wire.host.within(() => setInterfaceMtu('wire', 576)) // and that of the server is 1500
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

const buf = Buffer.alloc(64)
const table = Buffer.alloc(65_536)
let [clientFd, listenFd, connFd, clientPort, serverPort] = [-1, -1, -1, 0, 0]
let lines: string[] = []

/** Something came that was not due, since this program was held up: an acknowledgement may wait for as little as 40 ms. */
class TooLate extends Error {}

for (let done = false; !done;) {
  lines = []
  try {
    scenes[name as keyof typeof scenes]()
    done = true
  } catch (error) {
    if (!(error instanceof TooLate)) throw error
  }
  for (const fd of [clientFd, listenFd, connFd]) if (fd >= 0) close(fd)
  clientFd = listenFd = connFd = -1
}
for (const line of lines) console.log(line)

// #region four
function four(): void {
  opens()
  asks()
  phase('one side has nothing more to say')
  call('client', 'close()')
  clientFd = closed(clientFd)
  is('client', 'FIN_WAIT_1')
  travels('client', 'FIN+ACK')
  is('server', 'CLOSE_WAIT')
  reads('server', connFd)
  travels('server', 'ACK') // 40 ms later: the server was not quick
  is('client', 'FIN_WAIT_2')
  phase('and then the other')
  call('server', 'close()')
  connFd = closed(connFd)
  is('server', 'LAST_ACK')
  travels('server', 'FIN+ACK')
  is('client', 'TIME_WAIT')
  travels('client', 'ACK')
  is('server', 'CLOSED')
}
// #endregion four

function opens(): void {
  phase('the connection opens')
  listenFd = server.wire.host.within(() => socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0))
  bind(listenFd, sockaddr_in(server.address, 0))
  serverPort = endpoint(getsockname(listenFd, sockaddr_in('0.0.0.0', 0))).port!
  call('server', 'listen()')
  listen(listenFd, 8)
  is('server', 'LISTEN')
  call('server', 'accept() …')
  clientFd = client.wire.host.within(() => socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0))
  bind(clientFd, sockaddr_in(client.address, 0))
  clientPort = endpoint(getsockname(clientFd, sockaddr_in('0.0.0.0', 0))).port!
  call('client', 'connect() …')
  try {
    connect(clientFd, sockaddr_in(server.address, serverPort))
  } catch {} // EINPROGRESS: it would wait
  is('client', 'SYN_SENT')
  travels('client', 'SYN')
  is('server', 'SYN_RECV')
  travels('server', 'SYN+ACK')
  is('client', 'ESTABLISHED')
  call('client', `connect() = ${getsockoptInt(clientFd, SOL_SOCKET, SO_ERROR)}`)
  travels('client', 'ACK')
  is('server', 'ESTABLISHED')
  connFd = accept4(listenFd, undefined, SOCK_NONBLOCK)
  call('server', 'accept() = a descriptor')
}

function asks(): void {
  phase('a question and its answer')
  setsockopt(connFd, IPPROTO_TCP, TCP_QUICKACK, 0) // an acknowledgement waits for an answer to go with
  call('client', `send() = ${trySend(clientFd, Buffer.from('what?'), 5, 0)}`)
  travels('client', '5 bytes')
  reads('server', connFd)
  call('server', `send() = ${trySend(connFd, Buffer.from('that.'), 5, 0)}`)
  travels('server', '5 bytes')
  reads('client', clientFd)
  travels('client', 'ACK')
}

// #region three
function three(): void {
  opens()
  asks()
  phase('both close, one soon after the other')
  call('client', 'shutdown()')
  shutdown(clientFd, SHUT_WR)
  is('client', 'FIN_WAIT_1')
  travels('client', 'FIN+ACK')
  is('server', 'CLOSE_WAIT')
  reads('server', connFd)
  call('server', 'close()')
  connFd = closed(connFd)
  is('server', 'LAST_ACK')
  travels('server', 'FIN+ACK')
  is('client', 'TIME_WAIT')
  reads('client', clientFd)
  travels('client', 'ACK')
  is('server', 'CLOSED')
}
// #endregion three

// #region reset
function reset(): void {
  opens()
  phase('the server closes with something unread')
  call('client', `send() = ${trySend(clientFd, Buffer.from('what?'), 5, 0)}`)
  travels('client', '5 bytes')
  travels('server', 'ACK')
  call('server', 'close()')
  connFd = closed(connFd)
  is('server', 'CLOSED')
  travels('server', 'RST+ACK')
  is('client', 'CLOSED')
  const received = tryRecv(clientFd, buf, buf.length, 0)
  call('client', `recv() = ${systemError('recv', received).code}`)
}
// #endregion reset

// #region lost
function lost(): void {
  opens()
  phase('a segment is lost')
  call('client', `send() = ${trySend(clientFd, Buffer.from('what?'), 5, 0)}`)
  travels('client', '5 bytes', false)
  travels('client', '5 bytes') // sent again, and the program knows nothing of it
  reads('server', connFd)
  phase('an acknowledgement is lost')
  travels('server', 'ACK', false)
  travels('client', '5 bytes')
  travels('server', 'ACK') // of what it has already: the program is not given it twice
  const received = tryRecv(connFd, buf, buf.length, 0)
  call('server', `recv() = ${systemError('recv', received).code}`)
}
// #endregion lost

// #region travels
/** The next packet of a side, which has to be this one, is seen on the wire; it arrives, unless it is lost. */
function travels(from: Side['name'], what: string, arrives = true): void {
  const [here, there] = from === 'client' ? [client, server] : [server, client]
  for (;;) {
    const bytes = here.wire.receive(LIMIT)
    if (bytes === undefined) throw new Error(`${from}: no ${what} within ${LIMIT} ms`)
    const { source, bytes: length, tcp } = packet(bytes)
    if (source.port !== (from === 'client' ? clientPort : serverPort)) continue // of a try before
    const { flags, seq, ack } = tcp!
    if (flags & TH_SYN) here.first = seq
    const kind = length > 0 ? `${length} bytes` : flagsOf(flags)
    if (kind !== what) throw new TooLate(`${from}: ${kind}, not ${what}`)
    const words = [kind, `seq ${(seq - here.first) >>> 0}`]
    if (flags & TH_ACK) words.push(`ack ${(ack - there.first) >>> 0}`)
    if (flags & TH_SYN) words.push(`MSS ${mssOf(bytes.subarray(20))}`)
    lines.push(`${from} → ${there.name}: ${words.join(', ')}${arrives ? '' : ' (lost)'}`)
    if (arrives) there.wire.deliver(bytes)
    return
  }
}

function flagsOf(bits: number): string {
  const flags = { SYN: TH_SYN, FIN: TH_FIN, RST: TH_RST, ACK: TH_ACK }
  const set = Object.entries(flags).filter(([, bit]) => bits & bit)
  return set.map(([flag]) => flag).join('+')
}

/** The option of SYN that says how long a segment may be: kind 2, 4 bytes. RFC 9293, section 3.2 */
function mssOf(tcp: Buffer): number {
  const end = (tcp[12]! >> 4) * 4
  for (let at = 20; at < end; at += tcp[at] === 1 ? 1 : tcp[at + 1]!) {
    if (tcp[at] === 2) return tcp.readUInt16BE(at + 2)
  }
  return 536 // where there is none
}
// #endregion travels

/** Waits until the kernel of a side says that its end of the connection is in a state. proc(5) */
function is(side: Side['name'], state: string): void {
  const until = performance.now() + LIMIT
  while (stateOf(side, state === 'LISTEN') !== state) {
    if (performance.now() > until) throw new Error(`${side} is not ${state}`)
  }
  lines.push(`${side} is ${state}`)
}

function stateOf(side: Side['name'], isListener: boolean): string {
  const { tcpFd } = side === 'client' ? client : server
  const text = table.toString('latin1', 0, readSync(tcpFd, table, 0, table.length, 0))
  const [own, other] = side === 'client' ? [clientPort, serverPort] : [serverPort, clientPort]
  for (const line of text.split('\n').slice(1, -1)) {
    const [, local, remote, state] = line.trim().split(/\s+/)
    const [here, there] = [local, remote].map((end) => parseInt(end!.split(':')[1]!, 16))
    if (here === own && there === (isListener ? 0 : other)) return states[parseInt(state!, 16)]!
  }
  return 'CLOSED'
}

function side(name: Side['name'], address: string): Side {
  const end = wire(address)
  const tcpFd = end.host.within(() => openSync('/proc/thread-self/net/tcp', 'r'))
  return { name, address, wire: end, tcpFd, first: 0 }
}

function call(side: Side['name'], text: string): void {
  lines.push(`${side}: ${text}`)
}

/** recv, when there is something: a packet that was delivered may take a moment. */
function reads(side: Side['name'], fd: number): void {
  const fds = pollfds(1)
  fds.set(0, fd, POLLIN)
  poll(fds, 1, LIMIT)
  call(side, `recv() = ${tryRecv(fd, buf, buf.length, 0)}`)
}

function phase(text: string): void {
  lines.push(`--- ${text}`)
}

function closed(fd: number): number {
  close(fd)
  return -1
}
