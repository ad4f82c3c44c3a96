// Table 4: the same for UDP, where a server is a socket that has an address and no more.
// usage: node udp-cells.ts (needs CAP_NET_RAW: unshare -Urn node udp-cells.ts, with lo up)

import {
  AF_INET,
  AF_PACKET,
  EAGAIN,
  ETH_P_IP,
  MSG_DONTWAIT,
  POLLIN,
  type Packet,
  SOCK_DGRAM,
  type SystemError,
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
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
  trySendto,
} from '#posix'

const SOON = 100 // ms
const LIMIT = 5000 // ms

const buf = Buffer.alloc(65_536)
let wireFd: number
try {
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

console.log('server | client | the call returns | on the wire')

cell('listen', 'connect', (ends) => and(connects(ends), 'its listen', serverListens(ends)))
cell('listen', 'close', closes, connects, serverListens)
cell('listen', 'recv', receives, connects, serverListens)
cell('listen', 'send', sends, connects, serverListens)

cell('accept', 'connect', (ends) => and(connects(ends), 'its accept', serverAccepts(ends)))
cell('accept', 'close', closes, connects, serverAccepts)
cell('accept', 'recv', receives, connects, serverAccepts)
cell('accept', 'send', sends, connects, serverAccepts)

cell('recv', 'connect', (ends) => and(connects(ends), 'its recv', serverReceives(ends)))
cell('recv', 'close', (ends) => and(closes(ends), 'its recv', serverReceives(ends)), connects)
cell('recv', 'recv', receives, connects)
cell('recv', 'send', (ends) => and(sends(ends), 'its recv', serverReceives(ends)), connects)

cell('send', 'connect', (ends) => and(connects(ends), 'its send', serverSends(ends)))
cell('send', 'close', (ends) => and(closes(ends), 'its send', serverSendsTwice(ends)), connects)
cell('send', 'recv', receivesWhatItSends, connects)
cell('send', 'send', (ends) => and(sends(ends), 'its send', serverSends(ends)), connects)

// #region close
cell('close', 'connect', connects, serverCloses)
cell('close', 'close', closes, connects, serverCloses)
cell('close', 'recv', receives, connects, serverCloses)
cell('close', 'send', sendsTwice, connects, serverCloses)
cell('close', 'sendto', sendsTwiceTo, serverCloses)
// #endregion close

interface Ends {
  serverFd: number
  clientFd: number
  server: Buffer
  client: Buffer
}

function cell(
  server: string,
  client: string,
  call: (ends: Ends) => string,
  ...before: ((ends: Ends) => unknown)[]
): void {
  const [serverFd, clientFd] = [bound(), bound()]
  const ends = { serverFd, clientFd, server: addressOf(serverFd), client: addressOf(clientFd) }
  for (const step of before) step(ends)
  const [serverPort, clientPort] = [endpoint(ends.server).port!, endpoint(ends.client).port!]
  onTheWire(clientPort) // what was there before

  const result = call(ends)
  console.log([server, client, result, show(onTheWire(clientPort), serverPort)].join(' | '))
  for (const fd of [serverFd, clientFd]) attempt(() => close(fd)) // its cell may have done it
}

// #region client
function connects({ clientFd, server }: Ends): string {
  return attempt(() => connect(clientFd, server))
}

function closes({ clientFd }: Ends): string {
  return attempt(() => close(clientFd))
}

function receives({ clientFd }: Ends): string {
  return receivesOn(clientFd)
}

function receivesWhatItSends(ends: Ends): string {
  serverSends(ends)
  return receives(ends)
}

function sends({ clientFd }: Ends): string {
  return outcome('send', trySend(clientFd, buf, 5, 0))
}

/** A send, and another one when an answer to the first may have come. */
function sendsTwice(ends: Ends): string {
  return twice(ends.clientFd, () => sends(ends))
}

/** The same without connect: each datagram has the address with it. */
function sendsTwiceTo({ clientFd, server }: Ends): string {
  return twice(clientFd, () => outcome('sendto', trySendto(clientFd, buf, 5, 0, server)))
}
// #endregion client

function serverListens({ serverFd }: Ends): string {
  return attempt(() => listen(serverFd, 5))
}

function serverAccepts({ serverFd }: Ends): string {
  return attempt(() => accept(serverFd))
}

function serverReceives({ serverFd }: Ends): string {
  return receivesOn(serverFd)
}

function serverSends({ serverFd, client }: Ends): string {
  return outcome('sendto', trySendto(serverFd, buf, 5, 0, client))
}

function serverSendsTwice(ends: Ends): string {
  return twice(ends.serverFd, () => serverSends(ends))
}

function serverCloses({ serverFd }: Ends): void {
  close(serverFd)
}

// #region wire
/** What has been on the wire to and from a port. A datagram to itself marks the end of it. */
function onTheWire(port: number): Packet[] {
  const seen: Packet[] = []
  const markFd = bound()
  const mark = addressOf(markFd)
  sendto(markFd, buf, 0, 0, mark)
  for (;;) {
    if (!has(wireFd, POLLIN, LIMIT)) throw new Error(`no packet within ${LIMIT} ms`)
    const next = packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
    const { source, destination } = next.icmp?.original ?? next
    if (source.port === endpoint(mark).port) break
    if (source.port === port || destination.port === port) seen.push(next)
  }
  close(markFd)
  return seen
}
// #endregion wire

/** `→ 5 bytes, ← port unreachable`: the arrow is → towards the server. */
function show(seen: Packet[], server: number): string {
  const texts = seen.map(({ source, bytes, icmp }) => {
    if (icmp === undefined) return `${source.port === server ? '←' : '→'} ${bytes} bytes`
    const what = icmp.type === 3 && icmp.code === 3 ? 'port unreachable' : `ICMP ${icmp.type}`
    return `${icmp.original?.source.port === server ? '→' : '←'} ${what}`
  })
  return texts.join(', ') || 'nothing'
}

/** One recv, or that it would have to wait. */
function receivesOn(fd: number): string {
  has(fd, POLLIN)
  return outcome('recv', tryRecv(fd, buf, buf.length, MSG_DONTWAIT))
}

function twice(fd: number, send: () => string): string {
  const first = send()
  has(fd, 0) // POLLERR is not asked for: it is always told
  return `${first}, then ${send()}`
}

function has(fd: number, events: number, limit = SOON): boolean {
  const fds = pollfds(1)
  fds.set(0, fd, events)
  return poll(fds, 1, limit) > 0
}

function outcome(call: string, result: number): string {
  if (result === -EAGAIN) return 'waits'
  return result < 0 ? systemError(call, result).code : String(result)
}

function attempt(call: () => unknown): string {
  try {
    call()
    return '0'
  } catch (error) {
    return (error as SystemError).code
  }
}

function and(client: string, what: string, server: string): string {
  return `${client}; ${what}: ${server}`
}

function bound(): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(fd, sockaddr_in('127.0.0.1', 0))
  return fd
}

function addressOf(fd: number): Buffer {
  return getsockname(fd, sockaddr_in('127.0.0.1', 0)) as Buffer
}
