// Each state of a TCP connection, and each way from one to the next that the calls of a program and
// the segments of a peer can bring about. The program is the peer, and makes its segments by hand.
// usage: node states.ts (in a network of its own: unshare -Urn node states.ts)

import { openSync, readSync, writeFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  type SystemError,
  TCP_INFO,
  TH_ACK,
  TH_FIN,
  TH_RST,
  TH_SYN,
  type Wire,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  getsockopt,
  inet_pton,
  linger,
  listen,
  packet,
  setsockopt,
  shutdown,
  sockaddr_in,
  socket,
  systemError,
  trySend,
  wire,
} from '#posix'

const HOST = '10.0.0.1'
const PEER = '10.0.0.2' // nobody's address: what goes there comes to this program
const LIMIT = 5000 // ms

/** The states by the numbers that Linux gives them. include/net/tcp_states.h */
const states = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'TIME_WAIT',
  'CLOSED',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
]

let host: Wire
let tableFd: number
const table = Buffer.alloc(65_536)
try {
  host = wire(HOST)
  tableFd = host.host.within(() => openSync('/proc/thread-self/net/tcp', 'r'))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** One connection: the descriptor that the program has of it, if any, and what the peer knows. */
interface Connection {
  fd: number | undefined
  port: number
  peerPort: number
  state: string
  seq: number
  ack: number
  seen: Set<string>
}

let peerPorts = 50_000

function newSocket(): Connection {
  const fd = host.host.within(() => socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0))
  bind(fd, sockaddr_in(HOST, 0))
  const { port } = endpoint(getsockname(fd, sockaddr_in('0.0.0.0', 0)))
  const fresh = { fd, port: port!, peerPort: ++peerPorts, state: 'CLOSED', seq: 1000, ack: 0 }
  return { ...fresh, seen: new Set() }
}

// #region what-the-kernel-says
/** What TCP_INFO says, of a socket that has a descriptor. tcp(7) */
function byTcpInfo({ fd }: Connection): string {
  if (fd === undefined) return '-'
  const info = Buffer.alloc(8) // the start of struct tcp_info: the state is its first byte
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
  return states[info[0]!]!
}

/** What /proc/net/tcp says: `-` where it has no such line. Ports and states are hexadecimal. proc(5) */
function byProc({ port, peerPort }: Connection, isListener: boolean): string {
  const text = table.toString('latin1', 0, readSync(tableFd, table, 0, table.length, 0))
  for (const line of text.split('\n').slice(1)) {
    const [, local, remote, state] = line.trim().split(/\s+/)
    if (local === undefined || parseInt(local.split(':')[1]!, 16) !== port) continue
    if (parseInt(remote!.split(':')[1]!, 16) === (isListener ? 0 : peerPort)) {
      return states[parseInt(state!, 16)]!
    }
  }
  return '-'
}
// #endregion what-the-kernel-says

/** Waits until the kernel says that a connection is in a state, and prints how it came there. */
function step(one: Connection, to: string, cause: string, isListener = false): void {
  const until = performance.now() + LIMIT
  let told: [info: string, proc: string]
  do {
    if (performance.now() > until) throw new Error(`${cause}: ${told!.join(', ')}, not ${to}`)
    told = [byTcpInfo(one), byProc(one, isListener)]
  } while (!reached(to, told))
  const [info, proc] = told
  console.log(row(one.state, to, cause, info, proc))
  one.state = to
}

/** Where both have something to say they agree, but for a socket whose connection lives on without it. */
function reached(to: string, [info, proc]: [string, string]): boolean {
  if (to === 'CLOSED') return (info === 'CLOSED' || info === '-') && proc === '-'
  if (to === 'TIME_WAIT') return (info === 'CLOSED' || info === '-') && proc === to
  return (info === to || info === '-') && proc === to
}

function row(from: string, to: string, cause: string, info: string, proc: string): string {
  const cells = [from.padEnd(11), '→', to.padEnd(11), cause.padEnd(23), info.padEnd(11), proc]
  return cells.join(' ').trimEnd()
}

// #region segments
const flags = { SYN: TH_SYN, FIN: TH_FIN, RST: TH_RST, ACK: TH_ACK }
type Flag = keyof typeof flags

/** A segment of the peer arrives. SYN and FIN take a sequence number each. RFC 9293, section 3.4 */
function rcv(one: Connection, text: string): string {
  const names = text.split('+') as Flag[]
  const bits = names.reduce((all, name) => all | flags[name], 0)
  host.deliver(segment(one, bits))
  if (bits & (TH_SYN | TH_FIN)) one.seq++
  return `rcv ${text}`
}

/** The next segment that the host sends, which has to be this one; sent again it does not count. */
function snd(one: Connection, text: string): string {
  for (;;) {
    const bytes = host.receive(LIMIT)
    if (bytes === undefined) throw new Error(`no ${text} within ${LIMIT} ms`)
    const { tcp, source } = packet(bytes)
    const key = [tcp!.flags, tcp!.seq, tcp!.ack].join()
    if (source.port !== one.port || one.seen.has(key)) continue
    one.seen.add(key)
    const sent = (Object.keys(flags) as Flag[]).filter((name) => tcp!.flags & flags[name])
    if (sent.join('+') !== text) throw new Error(`the host sent ${sent.join('+')}, not ${text}`)
    one.ack = (tcp!.seq + (tcp!.flags & (TH_SYN | TH_FIN) ? 1 : 0)) >>> 0
    return `snd ${text}`
  }
}

/** The headers of a segment without data: IPv4, 20 bytes, and TCP, 20 bytes. RFC 791, RFC 9293 */
function segment({ port, peerPort, seq, ack }: Connection, bits: number): Buffer {
  const bytes = Buffer.alloc(40)
  bytes[0] = 0x45 // version 4, 5 words of header
  bytes[8] = 64 // hops left
  bytes[9] = IPPROTO_TCP
  bytes.set(inet_pton(AF_INET, PEER), 12)
  bytes.set(inet_pton(AF_INET, HOST), 16)
  const tcp = bytes.subarray(20)
  tcp.writeUInt16BE(peerPort, 0)
  tcp.writeUInt16BE(port, 2)
  tcp.writeUInt32BE(seq, 4)
  if (bits & TH_ACK) tcp.writeUInt32BE(ack, 8)
  tcp[12] = 5 << 4 // words of this header
  tcp[13] = bits
  tcp.writeUInt16BE(65_535, 14) // the window
  return bytes
}
// #endregion segments

console.log(row('from', 'to', 'cause', 'TCP_INFO', '/proc/net/tcp'))

// #region passive
title('a passive open, and the peer closes first')
{
  const listener = newSocket()
  listen(listener.fd!, 8)
  step(listener, 'LISTEN', 'listen()', true)
  const one = arrives(listener)
  step(one, 'SYN_RECV', and(rcv(one, 'SYN'), snd(one, 'SYN+ACK')))
  step(one, 'ESTABLISHED', rcv(one, 'ACK'))
  one.fd = accept(listener.fd!)
  step(one, 'CLOSE_WAIT', and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
  close(one.fd)
  one.fd = undefined
  step(one, 'LAST_ACK', and('close()', snd(one, 'FIN+ACK')))
  step(one, 'CLOSED', rcv(one, 'ACK'))
  close(listener.fd!)
  listener.fd = undefined
  step(listener, 'CLOSED', 'close()', true)
}
// #endregion passive

title('an active open, and this side closes first')
{
  const one = opens()
  step(one, 'FIN_WAIT_1', and(closes(one), snd(one, 'FIN+ACK')))
  step(one, 'FIN_WAIT_2', rcv(one, 'ACK'))
  step(one, 'TIME_WAIT', and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
}

title('both close at the same time')
{
  const one = opens()
  step(one, 'FIN_WAIT_1', and(closes(one), snd(one, 'FIN+ACK')))
  const unheard = one.ack // the peer has sent its FIN before it had this one
  one.ack = unheard - 1
  step(one, 'CLOSING', and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
  one.ack = unheard
  step(one, 'TIME_WAIT', rcv(one, 'ACK'))
}

title('the peer acknowledges and closes in one segment')
{
  const one = opens()
  step(one, 'FIN_WAIT_1', and(closes(one), snd(one, 'FIN+ACK')))
  step(one, 'TIME_WAIT', and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
}

// #region simultaneous-open
title('both open at the same time')
{
  const one = connects()
  step(one, 'SYN_RECV', and(rcv(one, 'SYN'), snd(one, 'SYN+ACK')))
  step(one, 'ESTABLISHED', rcv(one, 'ACK'))
}

title('... and one of them closes before it is open')
{
  const one = connects()
  step(one, 'SYN_RECV', and(rcv(one, 'SYN'), snd(one, 'SYN+ACK')))
  close(one.fd!)
  one.fd = undefined
  step(one, 'FIN_WAIT_1', and('close()', snd(one, 'FIN+ACK')))
}
// #endregion simultaneous-open

title('nobody listens: the answer to SYN is a reset')
{
  const one = connects()
  step(one, 'CLOSED', rcv(one, 'RST+ACK'))
  close(one.fd!)
}

title('nobody answers, and the program gives up')
{
  const one = connects()
  close(one.fd!)
  one.fd = undefined
  step(one, 'CLOSED', 'close()')
}

title('the peer resets before it is open, and the listening socket stays')
{
  const listener = newSocket()
  listen(listener.fd!, 8)
  step(listener, 'LISTEN', 'listen()', true)
  const one = arrives(listener)
  step(one, 'SYN_RECV', and(rcv(one, 'SYN'), snd(one, 'SYN+ACK')))
  step(one, 'CLOSED', rcv(one, 'RST'))
  step(listener, 'LISTEN', 'the same', true)
  close(listener.fd!)
}

title('a reset from the peer')
{
  const one = opens()
  step(one, 'CLOSED', rcv(one, 'RST'))
  close(one.fd!)
}

title('a reset from this side: close() with SO_LINGER, 0 seconds')
{
  const one = opens()
  setsockopt(one.fd!, SOL_SOCKET, SO_LINGER, linger(true, 0))
  close(one.fd!)
  one.fd = undefined
  step(one, 'CLOSED', and('close()', snd(one, 'RST+ACK')))
}

title('a reset in TIME_WAIT, where tcp_rfc1337 is 0, and where it is 1')
for (const [setting, next] of [
  ['0', 'CLOSED'],
  ['1', 'TIME_WAIT'],
] as const) {
  const file = '/proc/sys/net/ipv4/tcp_rfc1337'
  host.host.within(() => writeFileSync(file, setting))
  const one = opens()
  step(one, 'FIN_WAIT_1', and(closes(one), snd(one, 'FIN+ACK')))
  step(one, 'TIME_WAIT', and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
  close(one.fd!)
  one.fd = undefined
  step(one, next, rcv(one, 'RST'))
  one.seen.clear() // what comes next is the last acknowledgement once more
  if (next === 'TIME_WAIT') step(one, next, and(rcv(one, 'FIN+ACK'), snd(one, 'ACK')))
}

// #region listening
title('what a listening socket cannot do: Send of the figure, and connect')
{
  const listener = newSocket()
  listen(listener.fd!, 8)
  step(listener, 'LISTEN', 'listen()', true)
  const sent = trySend(listener.fd!, Buffer.from('x'), 1, 0)
  step(listener, 'LISTEN', `send(): ${systemError('send', sent).code}`, true)
  step(listener, 'LISTEN', `connect(): ${connecting(listener)}`, true)
  close(listener.fd!)
}
// #endregion listening
host.close()

function title(text: string): void {
  console.log(`\n${text}`)
}

function and(cause: string, consequence: string): string {
  return `${cause}, ${consequence}`
}

/** A connection that a peer is about to open: it has no socket yet, and is still part of the listening one. */
function arrives({ port }: Connection): Connection {
  return {
    fd: undefined,
    port,
    peerPort: ++peerPorts,
    state: 'LISTEN',
    seq: 1000,
    ack: 0,
    seen: new Set(),
  }
}

function connecting({ fd, peerPort }: Connection): string {
  try {
    connect(fd!, sockaddr_in(PEER, peerPort))
    return '0'
  } catch (error) {
    return (error as SystemError).code
  }
}

/** connect does not wait here: SYN is sent, and the answer is ours to give. */
function connects(): Connection {
  const one = newSocket()
  const code = connecting(one)
  if (code !== 'EINPROGRESS') throw new Error(`connect: ${code}`)
  step(one, 'SYN_SENT', and('connect()', snd(one, 'SYN')))
  return one
}

function opens(): Connection {
  const one = connects()
  step(one, 'ESTABLISHED', and(rcv(one, 'SYN+ACK'), snd(one, 'ACK')))
  return one
}

/** Ends this direction as close does, and keeps the descriptor, so that TCP_INFO can be asked. */
function closes({ fd }: Connection): string {
  shutdown(fd!, SHUT_WR)
  return 'shutdown()'
}
