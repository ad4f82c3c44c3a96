// A chat on epoll: each line that a client sends goes to all the others.
// usage: node exercise-chat.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  EAGAIN,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPOLLIN,
  EPOLLOUT,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  TCP_NODELAY,
  bind,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
  systemError,
  tryAccept,
  tryEpollWait,
  tryRecv,
  trySend,
} from '#posix'

const BUFFER_SIZE = 65_536 // bytes
const LINE_MAX = 1000 // bytes, the newline among them
const NEWLINE = 0x0a
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-chat.ts PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

interface Connection {
  fd: number
  name: string
  events: number // what epoll watches it for
  line: Buffer // the beginning of its next line
  used: number // bytes in line
  unsent: Buffer // what others have said and the kernel has not taken
  length: number // bytes in unsent
}

const connections = new Map<number, Connection>() // by descriptor
const buffer = Buffer.alloc(BUFFER_SIZE) // for all: no turn leaves a byte in it

const addr = sockaddr(host, Number(port))
const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)

const epfd = epoll_create1(EPOLL_CLOEXEC)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)
log(`listening on ${format(getsockname(listenFd, addr))}`)

const events = epoll_events(1024)
let accepting = true
let retryAt = 0 // when to look at the listening socket again
for (;;) {
  const count = tryEpollWait(epfd, events, events.count, accepting ? -1 : RETRY)
  if (count === -EINTR) continue
  if (count < 0) throw systemError('epoll_wait', count)
  // #region chat-loop
  for (let i = 0; i < count; i++) {
    if (events.fd(i) === listenFd) continue
    const conn = connections.get(events.fd(i))
    if (conn === undefined) continue // dropped by the turn of another
    if (events.events(i) & EPOLLOUT) flush(conn)
    if (events.events(i) & ~EPOLLOUT && connections.has(conn.fd)) receive(conn)
  }
  // Last: a new client with an old number must not get events of the old one.
  for (let i = 0; i < count; i++) if (events.fd(i) === listenFd) acceptSome()
  // #endregion chat-loop
  if (!accepting && performance.now() >= retryAt) setAccepting(true)
}

// #region lines
function receive(conn: Connection): void {
  const received = tryRecv(conn.fd, buffer, BUFFER_SIZE, 0)
  if (received === 0) return drop(conn, `closed ${conn.name}`)
  if (received < 0) return received === -EAGAIN ? undefined : fail(conn, 'recv', received)
  for (let start = 0; start < received;) {
    const newline = buffer.subarray(0, received).indexOf(NEWLINE, start)
    const end = newline === -1 ? received : newline + 1
    if (conn.used + end - start > LINE_MAX) return drop(conn, `${conn.name}: a line too long`)
    conn.used += buffer.copy(conn.line, conn.used, start, end)
    if (newline !== -1) broadcast(conn)
    start = end
  }
}

function broadcast(from: Connection): void {
  for (const to of connections.values()) if (to !== from) add(to, from.line, from.used)
  from.used = 0
}
// #endregion lines

// #region add
// Whoever does not read must neither stop the others nor fill our memory.
function add(to: Connection, line: Buffer, length: number): void {
  if (to.length + length > BUFFER_SIZE) return drop(to, `${to.name} does not read`)
  line.copy(to.unsent, to.length, 0, length)
  to.length += length
  if (to.length === length) flush(to) // nothing was waiting
}

function flush(conn: Connection): void {
  const sent = trySend(conn.fd, conn.unsent, conn.length, 0)
  if (sent < 0 && sent !== -EAGAIN) return fail(conn, 'send', sent)
  conn.unsent.copyWithin(0, Math.max(sent, 0), conn.length)
  conn.length -= Math.max(sent, 0)
  const events = conn.length > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN
  if (events === conn.events) return
  conn.events = events
  epoll_ctl(epfd, EPOLL_CTL_MOD, conn.fd, events)
}
// #endregion add

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
    const name = format(peer)
    const [line, unsent] = [Buffer.alloc(LINE_MAX), Buffer.alloc(BUFFER_SIZE)]
    connections.set(fd, { fd, name, events: EPOLLIN, line, used: 0, unsent, length: 0 })
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)
    log(`serving ${name}`)
  }
}

function setAccepting(on: boolean): void {
  if (on === accepting) return
  accepting = on
  if (!on) retryAt = performance.now() + RETRY
  epoll_ctl(epfd, EPOLL_CTL_MOD, listenFd, on ? EPOLLIN : 0)
}

function drop({ fd }: Connection, reason: string): void {
  connections.delete(fd)
  close(fd) // which ends the watch as well
  log(reason)
  setAccepting(true) // a descriptor is free
}

function fail(conn: Connection, syscall: string, errno: number): void {
  drop(conn, `${conn.name} ${systemError(syscall, errno).message}`)
}

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
