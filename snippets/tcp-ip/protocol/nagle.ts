// When a second small write goes out: two hosts, and this program is the wire between them.
// usage: node nagle.ts (in a network of its own: unshare -Urn node nagle.ts)

import {
  AF_INET,
  F_SETFL,
  IPPROTO_TCP,
  MSG_WAITALL,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TCP_CORK,
  TCP_INFO,
  TCP_NODELAY,
  TCP_QUICKACK,
  type Wire,
  accept,
  bind,
  close,
  connect,
  fcntl,
  getsockname,
  getsockopt,
  listen,
  packet,
  recv,
  setsockopt,
  sockaddr_in,
  socket,
  trySend,
  wire,
} from '#posix'

const LIMIT = 5000 // ms

let client: Wire
let server: Wire
try {
  client = wire('10.0.0.1')
  server = wire('10.0.0.2')
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

const buf = Buffer.alloc(64)
const info = Buffer.alloc(256)
const told = new Set<string>() // the segments with data, by their first number
const [clientFd, connFd] = connection()

// #region two-writes
phase('two writes')
setsockopt(connFd, IPPROTO_TCP, TCP_QUICKACK, 0) // acknowledge later, with an answer if there is one
writes(5)
travels('client', '5 bytes')
writes(5)
held()
reads('server', connFd, 5) // half a question: it has no answer yet
travels('server', 'ACK') // 40 ms later
travels('client', '5 bytes')
answers(5)
// #endregion two-writes

phase('two writes, TCP_NODELAY')
setsockopt(clientFd, IPPROTO_TCP, TCP_NODELAY, 1)
writes(5)
travels('client', '5 bytes')
writes(5)
travels('client', '5 bytes')
answers(10)
setsockopt(clientFd, IPPROTO_TCP, TCP_NODELAY, 0)

// #region cork
phase('two writes, TCP_CORK around them')
setsockopt(clientFd, IPPROTO_TCP, TCP_CORK, 1)
writes(5)
writes(5)
held()
setsockopt(clientFd, IPPROTO_TCP, TCP_CORK, 0)
travels('client', '10 bytes')
answers(10)

phase('one write')
writes(10)
travels('client', '10 bytes')
answers(10)
// #endregion cork
for (const fd of [clientFd, connFd]) close(fd)
for (const end of [client, server]) end.close()

function writes(bytes: number): void {
  console.log(`client: send() = ${trySend(clientFd, buf, bytes, 0)}`)
}

// #region held
/** What was written and has not been sent: notsent_bytes of struct tcp_info. linux/tcp.h */
function held(): void {
  getsockopt(clientFd, IPPROTO_TCP, TCP_INFO, info)
  console.log(`client holds back ${info.readUInt32LE(144)} bytes`)
}
// #endregion held

function reads(side: string, fd: number, bytes: number): void {
  console.log(`${side}: recv() = ${recv(fd, buf, bytes, MSG_WAITALL)}`)
}

/** The server reads what it still lacks of the question, and answers. */
function answers(rest: number): void {
  reads('server', connFd, rest)
  console.log(`server: send() = ${trySend(connFd, buf, 5, 0)}`)
  travels('server', '5 bytes')
  reads('client', clientFd, 5)
}

// #region travels
/**
 * The next segment of a side arrives. An acknowledgement that is not asked for arrives, and is not
 * told; nor is what is sent again, since this program was held up.
 */
function travels(from: 'client' | 'server', what: string): void {
  const [here, there] = from === 'client' ? [client, server] : [server, client]
  for (let kind = ''; kind !== what;) {
    const segment = here.receive(LIMIT)
    if (segment === undefined) throw new Error(`${from}: no ${what} within ${LIMIT} ms`)
    there.deliver(segment)
    const { bytes, tcp } = packet(segment)
    if (bytes > 0 && told.has(`${from} ${tcp!.seq}`)) continue
    kind = bytes > 0 ? `${bytes} bytes` : 'ACK'
    if (kind !== what && kind !== 'ACK') throw new Error(`${from}: ${kind}, not ${what}`)
    if (bytes > 0) told.add(`${from} ${tcp!.seq}`)
    if (kind === what) console.log(`${from} → ${from === 'client' ? 'server' : 'client'}: ${kind}`)
  }
}
// #endregion travels

function phase(text: string): void {
  console.log(`--- ${text}`)
}

function connection(): [number, number] {
  const listenFd = server.host.within(() => socket(AF_INET, SOCK_STREAM, 0))
  bind(listenFd, sockaddr_in('10.0.0.2', 0))
  listen(listenFd, 1)
  const clientFd = client.host.within(() => socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0))
  try {
    connect(clientFd, getsockname(listenFd, sockaddr_in('0.0.0.0', 0)))
  } catch {} // EINPROGRESS
  for (const [here, there] of [
    [client, server],
    [server, client],
    [client, server],
  ] as const) {
    there.deliver(here.receive(LIMIT)!) // SYN, SYN+ACK, ACK
  }
  fcntl(clientFd, F_SETFL, 0) // from here on its calls wait
  const connFd = accept(listenFd)
  close(listenFd)
  return [clientFd, connFd]
}
