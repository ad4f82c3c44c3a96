// An echo server with one thread and many clients, on poll.
// usage: node poll-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  EAGAIN,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  IPPROTO_TCP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  TCP_NODELAY,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  pollfds,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
  systemError,
  tryAccept,
  tryPoll,
  tryRecv,
  trySend,
} from '#posix'

const BUFFER_SIZE = 65_536 // bytes
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node poll-server.ts PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

// #region state
interface Connection {
  fd: number
  name: string
  place: number // in the array of poll
  unsent: Buffer | undefined // made when first needed
  length: number // bytes in unsent
}

const connections: Connection[] = [] // number i is in place i + 1 of the array
let places = pollfds(64) // place 0 is the listening socket's
// #endregion state
const buffer = Buffer.alloc(BUFFER_SIZE) // for all: no turn leaves a byte in it

const addr = sockaddr(host, Number(port))
const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
log(`listening on ${format(getsockname(listenFd, addr))}`)

// #region loop
let accepting = true
let retryAt = 0 // when to look at the listening socket again
places.set(0, listenFd, POLLIN)
for (;;) {
  const count = tryPoll(places, connections.length + 1, accepting ? -1 : RETRY)
  if (count === -EINTR) continue
  if (count < 0) throw systemError('poll', count)
  // From the end: whoever moves into a free place has had its turn.
  for (let i = connections.length, left = count; left > 0; i--) {
    const revents = places.revents(i)
    if (revents === 0) continue
    left--
    if (revents & POLLNVAL) throw new Error(`place ${i}: ${places.fd(i)} is not open`)
    const conn = connections[i - 1]
    if (conn === undefined) acceptSome()
    else if (conn.length > 0) deliver(conn, conn.unsent!, conn.length)
    else receive(conn)
  }
  if (!accepting && performance.now() >= retryAt) setAccepting(true)
}
// #endregion loop

function receive(conn: Connection): void {
  const received = tryRecv(conn.fd, buffer, BUFFER_SIZE, 0)
  if (received > 0) deliver(conn, buffer, received)
  else if (received === 0) drop(conn, `closed ${conn.name}`)
  else if (received !== -EAGAIN) fail(conn, 'recv', received)
}

function deliver(conn: Connection, bytes: Buffer, length: number): void {
  const sent = trySend(conn.fd, bytes, length, 0)
  if (sent < 0 && sent !== -EAGAIN) return fail(conn, 'send', sent)
  conn.length = length - Math.max(sent, 0)
  if (conn.length > 0) {
    conn.unsent ??= Buffer.alloc(BUFFER_SIZE)
    bytes.copy(conn.unsent, 0, length - conn.length, length)
  }
  places.set(conn.place, conn.fd, conn.length > 0 ? POLLOUT : POLLIN)
}

function acceptSome(): void {
  const peer = sockaddr_storage()
  for (let i = 0; i < ACCEPTS; i++) {
    const fd = tryAccept(listenFd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd === -EAGAIN) return
    if (fd < 0) {
      log(systemError('accept', fd).message)
      // The queue stays as it is until a descriptor is free: look away.
      if (FULL.has(fd)) setAccepting(false)
      return
    }
    add(fd, format(peer))
  }
}

// #region accepting
function setAccepting(on: boolean): void {
  if (on === accepting) return // what has come there is not forgotten
  accepting = on
  if (!on) retryAt = performance.now() + RETRY
  places.set(0, on ? listenFd : -1, POLLIN) // a negative one is left out
}
// #endregion accepting

// #region places
function add(fd: number, name: string): void {
  const place = connections.length + 1
  if (place === places.count) {
    const more = pollfds(2 * places.count)
    more.bytes.set(places.bytes)
    places = more
  }
  connections.push({ fd, name, place, unsent: undefined, length: 0 })
  places.set(place, fd, POLLIN)
  log(`serving ${name}`)
}

function drop({ fd, place }: Connection, reason: string): void {
  const last = connections.pop()!
  if (last.fd !== fd) {
    connections[place - 1] = last // moves into the place that is free
    last.place = place
    places.set(place, last.fd, last.length > 0 ? POLLOUT : POLLIN)
  }
  close(fd)
  log(reason)
  setAccepting(true) // a descriptor is free
}
// #endregion places

function fail(conn: Connection, syscall: string, errno: number): void {
  drop(conn, `${conn.name} ${systemError(syscall, errno).message}`)
}

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
