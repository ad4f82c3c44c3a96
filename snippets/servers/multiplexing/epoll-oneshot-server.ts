// The echo server on epoll, whose events switch themselves off: EPOLLONESHOT.
// usage: node epoll-oneshot-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  EAGAIN,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPOLLIN,
  EPOLLONESHOT,
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
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node epoll-oneshot-server.ts PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

interface Connection {
  fd: number
  name: string
  unsent: Buffer | undefined // made when first needed
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
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN | EPOLLONESHOT)
log(`listening on ${format(getsockname(listenFd, addr))}`)

// #region loop
const events = epoll_events(1024)
let accepting = true
let retryAt = 0 // when to look at the listening socket again
for (;;) {
  const count = tryEpollWait(epfd, events, events.count, accepting ? -1 : RETRY)
  if (count === -EINTR) continue
  if (count < 0) throw systemError('epoll_wait', count)
  for (let i = 0; i < count; i++) {
    const conn = connections.get(events.fd(i))
    if (conn === undefined) acceptSome()
    else if (conn.length > 0) deliver(conn, conn.unsent!, conn.length)
    else receive(conn)
  }
  if (!accepting && performance.now() >= retryAt) acceptAgain()
}

// Told once, a descriptor is silent until we ask for its next event.
function arm(fd: number, events: number): void {
  epoll_ctl(epfd, EPOLL_CTL_MOD, fd, events | EPOLLONESHOT)
}
// #endregion loop

function receive(conn: Connection): void {
  const received = tryRecv(conn.fd, buffer, BUFFER_SIZE, 0)
  if (received > 0) deliver(conn, buffer, received)
  else if (received === 0) drop(conn, `closed ${conn.name}`)
  else if (received === -EAGAIN) arm(conn.fd, EPOLLIN)
  else fail(conn, 'recv', received)
}

// #region deliver
function deliver(conn: Connection, bytes: Buffer, length: number): void {
  const sent = trySend(conn.fd, bytes, length, 0)
  if (sent < 0 && sent !== -EAGAIN) return fail(conn, 'send', sent)
  conn.length = length - Math.max(sent, 0)
  if (conn.length > 0) {
    conn.unsent ??= Buffer.alloc(BUFFER_SIZE)
    bytes.copy(conn.unsent, 0, length - conn.length, length)
  }
  arm(conn.fd, conn.length > 0 ? EPOLLOUT : EPOLLIN)
}
// #endregion deliver

// #region accept
function acceptSome(): void {
  const peer = sockaddr_storage()
  for (let i = 0; i < ACCEPTS; i++) {
    const fd = tryAccept(listenFd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd === -EAGAIN) break
    if (fd < 0) {
      log(systemError('accept', fd).message)
      // The queue stays as it is until a descriptor is free: do not ask.
      accepting = !FULL.has(fd)
      if (!accepting) retryAt = performance.now() + RETRY
      break
    }
    const name = format(peer)
    connections.set(fd, { fd, name, unsent: undefined, length: 0 })
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT)
    log(`serving ${name}`)
  }
  if (accepting) arm(listenFd, EPOLLIN)
}

function acceptAgain(): void {
  if (accepting) return
  accepting = true
  arm(listenFd, EPOLLIN)
}
// #endregion accept

function drop({ fd }: Connection, reason: string): void {
  connections.delete(fd)
  close(fd)
  log(reason)
  acceptAgain() // a descriptor is free
}

function fail(conn: Connection, syscall: string, errno: number): void {
  drop(conn, `${conn.name} ${systemError(syscall, errno).message}`)
}

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
