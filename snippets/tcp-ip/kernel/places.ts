// Where the bytes are that a program has sent. Each is in one place, so the places add up.

import {
  AF_INET,
  FIONREAD,
  IPPROTO_IP,
  IPPROTO_TCP,
  IP_MINTTL,
  IP_TTL,
  MSG_DONTWAIT,
  SIOCOUTQNSD,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_SNDBUF,
  TCP_INFO,
  TIOCOUTQ,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  ioctl,
  listen,
  poll,
  pollfds,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const LIMIT = 5000 // ms
// Where struct tcp_info has tcpi_notsent_bytes and tcpi_snd_wnd, linux/tcp.h
const NOT_SENT = 144
const WINDOW = 228
const buf = Buffer.alloc(65_536)

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, 50_000) // the accepted socket inherits it
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const senderFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(senderFd, SOL_SOCKET, SO_SNDBUF, 200_000)
connect(senderFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
const readerFd = accept(listenFd)

// #region steps
console.log('step | written | unsent | unacknowledged | unread | read')
let written = 0
let read = 0
let last: number[] = []

// The reader's TCP is to drop what may have passed a router: all with a TTL below 255. RFC 5082, 3
setsockopt(senderFd, IPPROTO_IP, IP_TTL, 64)
setsockopt(readerFd, IPPROTO_IP, IP_MINTTL, 255)
written += send(senderFd, buf, 1000, 0)
show('sent, and lost')

setsockopt(readerFd, IPPROTO_IP, IP_MINTTL, 0)
until(() => places().unacknowledged === 0) // TCP sends it again
show('sent again')

read += recv(readerFd, buf, 400, 0)
show('recv takes 400')

while (places().unsent === 0) {
  written += send(senderFd, buf, 40_000, MSG_DONTWAIT)
  // A window that is left, and smaller than a segment, the sender fills after a pause (RFC 9293,
  // 3.8.6.2.1). Until then nothing is where it will stay.
  until(() => places().unacknowledged === 0 && (places().unsent === 0 || info(WINDOW) === 0))
}
show('sent until the window is closed', (n, before) => (n === before ? `${n}` : 'more'))

written += send(senderFd, buf, 1000, 0)
show('1000 more', (n, before) => (n === before ? 'as before' : `${n - before} more`))
tellMore()

while (read < written) read += recv(readerFd, buf, buf.length, 0)
until(() => places().unacknowledged === 0)
show('all is read', (n) => (n === written ? 'all' : `${n}`))
// #endregion steps
for (const fd of [senderFd, readerFd, listenFd]) close(fd)

// #region places
interface Places {
  unsent: number
  unacknowledged: number
  unread: number
}

function places(): Places {
  const unsent = ask(senderFd, SIOCOUTQNSD)
  const unacknowledged = ask(senderFd, TIOCOUTQ) - unsent // TIOCOUTQ, also called SIOCOUTQ, has both
  return { unsent, unacknowledged, unread: ask(readerFd, FIONREAD) }
}

function ask(fd: number, request: number): number {
  const bytes = Buffer.alloc(4)
  ioctl(fd, request, bytes)
  return bytes.readInt32LE()
}
// #endregion places

/** Prints the places, and fails if a byte is in none or in two. */
function show(step: string, as = (n: number, _before: number) => `${n}`): void {
  const { unsent, unacknowledged, unread } = places()
  const all = [written, unsent, unacknowledged, unread, read]
  console.log([step, ...all.map((n, i) => as(n, last[i]!))].join(' | '))
  if (written !== unsent + unacknowledged + unread + read) {
    throw new Error(`the places do not add up: ${all.join(' ')}`)
  }
  last = all
}

// #region more
function tellMore(): void {
  const { unsent, unread } = places()
  console.log(`  tcpi_notsent_bytes is what is unsent: ${info(NOT_SENT) === unsent}`)
  // SK_MEMINFO_RMEM_ALLOC and SK_MEMINFO_WMEM_QUEUED, linux/sock_diag.h
  console.log(`  the reader's memory holds more than its bytes: ${memory(readerFd, 0) > unread}`)
  console.log(`  and so does the sender's: ${memory(senderFd, 5) > unsent}`)
}

function memory(fd: number, which: number): number {
  const counts = Buffer.alloc(9 * 4)
  getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counts)
  return counts.readUInt32LE(which * 4)
}
// #endregion more

/** A number out of the sender's struct tcp_info. */
function info(at: number): number {
  const bytes = Buffer.alloc(256)
  getsockopt(senderFd, IPPROTO_TCP, TCP_INFO, bytes)
  return bytes.readUInt32LE(at)
}

/** Waits for what has no event: it asks each millisecond. */
function until(condition: () => boolean): void {
  const end = performance.now() + LIMIT
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT} ms`)
    poll(pollfds(1), 0, 1)
  }
}
