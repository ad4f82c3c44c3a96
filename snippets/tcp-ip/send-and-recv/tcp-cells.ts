// Table 3: what a client's call returns and what goes over the wire, by what the server does.
// usage: node tcp-cells.ts (needs CAP_NET_RAW: unshare -Urn node tcp-cells.ts, with lo up)

import {
  AF_INET,
  AF_PACKET,
  EAGAIN,
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
  type SystemError,
  TH_ACK,
  TH_FIN,
  TH_RST,
  TH_SYN,
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
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'

const SOON = 100 // ms
const LIMIT = 5000 // ms
const LITTLE = 16_384 // bytes, so that the buffers are full soon

const buf = Buffer.alloc(65_536)
let wireFd: number
try {
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

console.log('server | client | the call returns | on the wire')

cell('listen', 'connect', connects)
cell('listen', 'close', closes)
cell('listen', 'recv', receives)
cell('listen', 'send', sends)

cell(
  'accept',
  'connect',
  (ends) => and(connects(ends), 'its accept', accepts(ends)),
  ({ listenFd }) => close(accept(listenFd)), // a client before, who is in the queue
)
cell('accept', 'close', closes, accepts)
cell('accept', 'recv', receives, accepts)
cell('accept', 'send', fills, accepts)

cell('recv', 'connect', connects, accepts)
cell('recv', 'close', (ends) => and(closes(ends), 'its recv', serverReceives(ends)), accepts)
cell('recv', 'recv', receives, accepts)
cell('recv', 'send', (ends) => and(sends(ends), 'its recv', serverReceives(ends)), accepts)

// #region send
cell('send', 'connect', connects, accepts, serverFills)
cell('send', 'close', (ends) => and(closes(ends), 'its send', serverSendsTwice(ends)), accepts)
cell('send', 'recv', receivesWhatItSends, accepts)
cell('send', 'send', (ends) => and(fills(ends), 'its send', serverFills(ends)), accepts)
// #endregion send

// #region close
cell('close', 'connect', connects, accepts, serverCloses)
cell('close', 'close', closes, accepts, serverCloses)
cell('close', 'recv', receives, accepts, serverCloses)
cell('close', 'send', sendsTwice, accepts, serverCloses)

cell('close, unread', 'connect', connects, accepts, serverClosesUnread)
cell('close, unread', 'close', closes, accepts, serverClosesUnread)
cell('close, unread', 'recv', receivesTwice, accepts, serverClosesUnread)
cell('close, unread', 'send', sendsTwice, accepts, serverClosesUnread)
// #endregion close

// #region cell
/** What a cell is tried on, new for each. */
interface Ends {
  listenFd: number
  serverFd: number
  clientFd: number
  serverPort: number
  clientPort: number
  seen: Packet[]
}

/** Brings a server and a client into a state, makes the client's call, and prints what came of it. */
function cell(
  server: string,
  client: string,
  call: (ends: Ends) => string,
  ...before: ((ends: Ends) => unknown)[]
): void {
  const listenFd = bound()
  setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, LITTLE)
  listen(listenFd, 5)
  const serverPort = portOf(listenFd)
  const ends: Ends = { listenFd, serverFd: -1, clientFd: -1, serverPort, clientPort: 0, seen: [] }
  connects(ends)
  const first = ends.clientFd
  for (const step of before) step(ends)
  settles(ends)
  ends.seen = [] // what it took to come here

  const result = call(ends)
  settles(ends)
  console.log([server, client, result, show(ends.seen, serverPort)].join(' | '))
  for (const fd of new Set([listenFd, ends.serverFd, first, ends.clientFd])) tryClose(fd)
}

// #endregion cell

// #region settles
/** Sees what has been on the wire, and what is still due: the acknowledgement of all that was sent. */
function settles({ clientPort, seen }: Ends): void {
  const mark = sendMark()
  for (let marked = false; !marked || isDue(seen);) {
    if (!has(wireFd, POLLIN, LIMIT)) throw new Error(`no packet within ${LIMIT} ms`)
    const next = packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
    const { source, destination, tcp } = next
    if (tcp === undefined) marked ||= source.port === mark
    else if (source.port === clientPort || destination.port === clientPort) seen.push(next)
  }
}

/** Sends a datagram to itself. When it arrives, so has all that was sent before. */
function sendMark(): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(fd, sockaddr_in('127.0.0.1', 0))
  sendto(fd, Buffer.from('mark'), 4, 0, getsockname(fd, sockaddr_in('127.0.0.1', 0)))
  const port = portOf(fd)
  close(fd)
  return port
}

/** Whether something that was sent has no acknowledgement yet. After a reset none will come. */
function isDue(seen: Packet[]): boolean {
  if (seen.some(({ tcp }) => tcp!.flags & TH_RST)) return false
  return seen.some(({ source, bytes, tcp }) => {
    const counted = bytes + (tcp!.flags & (TH_SYN | TH_FIN) ? 1 : 0) // each takes a number
    const acks = seen.filter(
      (other) => other.source.port !== source.port && other.tcp!.flags & TH_ACK,
    )
    return counted > 0 && !acks.some((other) => isFrom(tcp!.seq + counted, other.tcp!.ack))
  })
}

/** Whether b is a or comes after it: the numbers are of 32 bits, and go round. RFC 9293, 3.4 */
function isFrom(a: number, b: number): boolean {
  return (b - a) >>> 0 < 2 ** 31
}
// #endregion settles

/** A new client connects. */
function connects(ends: Ends): string {
  ends.clientFd = bound()
  ends.clientPort = portOf(ends.clientFd)
  setsockopt(ends.clientFd, SOL_SOCKET, SO_RCVBUF, LITTLE)
  setsockopt(ends.clientFd, SOL_SOCKET, SO_SNDBUF, LITTLE)
  try {
    connect(ends.clientFd, sockaddr_in('127.0.0.1', ends.serverPort))
    return '0'
  } catch (error) {
    return (error as SystemError).code
  }
}

function closes(ends: Ends): string {
  close(ends.clientFd)
  settles(ends)
  return '0'
}

function receives({ clientFd }: Ends): string {
  return receivesOn(clientFd)
}

function receivesTwice(ends: Ends): string {
  return `${receives(ends)}, then ${receives(ends)}`
}

function receivesWhatItSends(ends: Ends): string {
  sendsOn(ends.serverFd)
  return receives(ends)
}

function sends({ clientFd }: Ends): string {
  return sendsOn(clientFd)
}

function sendsTwice({ clientFd }: Ends): string {
  return sendsTwiceOn(clientFd)
}

function fills({ clientFd }: Ends): string {
  return fillsOn(clientFd)
}

function accepts(ends: Ends): string {
  ends.serverFd = accept(ends.listenFd)
  setsockopt(ends.serverFd, SOL_SOCKET, SO_SNDBUF, LITTLE)
  return 'a descriptor'
}

function serverReceives({ serverFd }: Ends): string {
  return receivesOn(serverFd)
}

function serverSendsTwice({ serverFd }: Ends): string {
  return sendsTwiceOn(serverFd)
}

function serverFills({ serverFd }: Ends): string {
  return fillsOn(serverFd)
}

function serverCloses({ listenFd, serverFd }: Ends): void {
  close(serverFd)
  close(listenFd)
}

/** The client has sent something by then, and the server has not read it. */
function serverClosesUnread(ends: Ends): void {
  sends(ends)
  has(ends.serverFd, POLLIN)
  serverCloses(ends)
}

// #region on
/** One recv, or that it would have to wait. */
function receivesOn(fd: number): string {
  has(fd, POLLIN)
  return outcome('recv', tryRecv(fd, buf, buf.length, MSG_DONTWAIT))
}

function sendsOn(fd: number): string {
  return outcome('send', trySend(fd, buf, 5, MSG_DONTWAIT))
}

/** A send, and another one when the answer to the first is there. */
function sendsTwiceOn(fd: number): string {
  const first = sendsOn(fd)
  has(fd, 0) // POLLERR and POLLHUP are not asked for: they are always told
  return `${first}, then ${sendsOn(fd)}`
}

/** Sends as much as there is room for, here and in the buffer of the other side. */
function fillsOn(fd: number): string {
  let sent = 0
  do sent = trySend(fd, buf, buf.length, MSG_DONTWAIT)
  while (sent > 0 || has(fd, POLLOUT))
  return `some, then ${outcome('send', sent)}`
}

function outcome(call: string, result: number): string {
  if (result === -EAGAIN) return 'waits'
  return result < 0 ? systemError(call, result).code : String(result)
}

/** Whether a socket has one of these events, or gets it soon. */
function has(fd: number, events: number, limit = SOON): boolean {
  const fds = pollfds(1)
  fds.set(0, fd, events)
  return poll(fds, 1, limit) > 0
}
// #endregion on

function and(client: string, what: string, server: string): string {
  return `${client}; ${what}: ${server}`
}

/** `→ SYN, ← SYN ACK, → ACK`: the arrow is → towards the server. */
function show(seen: Packet[], server: number): string {
  const texts = seen.map(({ source, bytes, tcp }) => {
    const words = [source.port === server ? '←' : '→']
    if (bytes > 0) words.push(bytes < 100 ? `${bytes} bytes` : 'data')
    if (tcp!.flags & TH_SYN) words.push('SYN')
    if (tcp!.flags & TH_FIN) words.push('FIN')
    if (tcp!.flags & TH_RST) words.push('RST')
    // All but the first SYN acknowledge something; it is named where nothing else is, and with SYN.
    if (tcp!.flags & TH_ACK && (words.length === 1 || tcp!.flags & TH_SYN)) words.push('ACK')
    return words.join(' ')
  })
  if (texts.length === 0) return 'nothing'
  const some = texts.some((text) => text.endsWith('data')) // how many, is the kernel's affair
  return some ? `${[...new Set(texts)].join(', ')}, …` : texts.join(', ')
}

function bound(): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  bind(fd, sockaddr_in('127.0.0.1', 0))
  return fd
}

function portOf(fd: number): number {
  return endpoint(getsockname(fd, sockaddr_in('127.0.0.1', 0))).port!
}

function tryClose(fd: number): void {
  try {
    close(fd)
  } catch {} // it has been closed in its cell
}
