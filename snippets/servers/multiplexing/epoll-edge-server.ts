// The echo server on epoll, edge-triggered.
// usage: node epoll-edge-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  EAGAIN,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
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
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node epoll-edge-server.ts PORT [HOST]')
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
  readable: boolean // until a recv says EAGAIN
  writable: boolean // until a send says EAGAIN
  queued: boolean
  unsent: Buffer | undefined // made when first needed
  length: number // bytes in unsent
}

const connections = new Map<number, Connection>() // by descriptor
const queue: number[] = [] // the first `waiting` of them can go on, in order
let waiting = 0
// #endregion state
const buffer = Buffer.alloc(BUFFER_SIZE) // for all: no turn leaves a byte in it

const addr = sockaddr(host, Number(port))
const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)

const epfd = epoll_create1(EPOLL_CLOEXEC)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN | EPOLLET)
log(`listening on ${format(getsockname(listenFd, addr))}`)

// #region loop
const events = epoll_events(1024)
let acceptable = false // until an accept says EAGAIN
let full = false // no descriptor is free
let retryAt = 0 // when to accept again
for (;;) {
  // While somebody can go on, look for events, but do not wait for them.
  const busy = waiting > 0 || (acceptable && !full)
  const timeout = busy ? 0 : full ? RETRY : -1
  const count = tryEpollWait(epfd, events, events.count, timeout)
  if (count < 0 && count !== -EINTR) throw systemError('epoll_wait', count)
  for (let i = 0; i < count; i++) note(events.fd(i), events.events(i))
  if (full && performance.now() >= retryAt) full = false
  if (acceptable && !full) acceptSome()
  const turns = waiting
  waiting = 0
  for (let i = 0; i < turns; i++) {
    const conn = connections.get(queue[i]!)!
    conn.queued = false
    takeTurn(conn)
  }
}
// #endregion loop

// #region note
// An edge is told once, so what it says has to be remembered.
function note(fd: number, events: number): void {
  const conn = connections.get(fd)
  if (conn === undefined) {
    acceptable = true
    return
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) conn.readable = true
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) conn.writable = true
  enqueue(conn)
}

function enqueue(conn: Connection): void {
  if (conn.queued || !(conn.length > 0 ? conn.writable : conn.readable)) return
  conn.queued = true
  queue[waiting++] = conn.fd
}
// #endregion note

// #region turn
// One recv and a send, or one send; then the others have their turn.
function takeTurn(conn: Connection): void {
  if (conn.length > 0) return deliver(conn, conn.unsent!, conn.length)
  const received = tryRecv(conn.fd, buffer, BUFFER_SIZE, 0)
  if (received > 0) deliver(conn, buffer, received)
  else if (received === 0) drop(conn, `closed ${conn.name}`)
  else if (received === -EAGAIN) conn.readable = false
  else fail(conn, 'recv', received)
}

function deliver(conn: Connection, bytes: Buffer, length: number): void {
  const sent = trySend(conn.fd, bytes, length, 0)
  if (sent < 0 && sent !== -EAGAIN) return fail(conn, 'send', sent)
  if (sent === -EAGAIN) conn.writable = false
  conn.length = length - Math.max(sent, 0)
  if (conn.length > 0) {
    conn.unsent ??= Buffer.alloc(BUFFER_SIZE)
    bytes.copy(conn.unsent, 0, length - conn.length, length)
  }
  enqueue(conn)
}
// #endregion turn

// #region accept
function acceptSome(): void {
  const peer = sockaddr_storage()
  for (let i = 0; i < ACCEPTS; i++) {
    const fd = tryAccept(listenFd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd < 0) {
      acceptable = fd !== -EAGAIN
      full = FULL.has(fd)
      if (full) retryAt = performance.now() + RETRY
      if (acceptable) log(systemError('accept', fd).message)
      return
    }
    const name = format(peer)
    connections.set(fd, {
      fd,
      name,
      readable: false, // the first event may say otherwise
      writable: true,
      queued: false,
      unsent: undefined,
      length: 0,
    })
    // Once for all: what it is ready for by now is its first edge.
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET)
    log(`serving ${name}`)
  }
}
// #endregion accept

function drop({ fd }: Connection, reason: string): void {
  connections.delete(fd)
  close(fd)
  log(reason)
  full = false // a descriptor is free
}

function fail(conn: Connection, syscall: string, errno: number): void {
  drop(conn, `${conn.name} ${systemError(syscall, errno).message}`)
}

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
