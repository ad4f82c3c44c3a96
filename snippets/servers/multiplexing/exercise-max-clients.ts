// The echo server on epoll, for so many clients and no more: others are told so.
// usage: node exercise-max-clients.ts PORT [HOST [CLIENTS]]

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
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const BUSY = Buffer.from('busy, come back later\n')
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1', most = '1000'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,6}$/.test(most)) {
  console.error('usage: node exercise-max-clients.ts PORT [HOST [CLIENTS]]')
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
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)
log(`listening on ${format(getsockname(listenFd, addr))}`)

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
  if (!accepting && performance.now() >= retryAt) setAccepting(true)
}

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
  const events = conn.length > 0 ? EPOLLOUT : EPOLLIN
  if (events === conn.events) return
  epoll_ctl(epfd, EPOLL_CTL_MOD, conn.fd, events)
  conn.events = events
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
    const name = format(peer)
    // #region refuse
    if (connections.size === Number(most)) {
      trySend(fd, BUSY, BUSY.length, 0)
      close(fd)
      log(`refused ${name}`)
      continue
    }
    // #endregion refuse
    connections.set(fd, { fd, name, events: EPOLLIN, unsent: undefined, length: 0 })
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
