// A server with one thread and many clients, on select: greets, then echoes.
// usage: node select-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  EAGAIN,
  EINTR,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  FD_CLR,
  FD_ISSET,
  FD_SET,
  FD_SETSIZE,
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
  family,
  fd_set,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
  systemError,
  timeval,
  tryAccept,
  tryRecv,
  trySelect,
  trySend,
} from '#posix'

const GREETING = Buffer.from('Welcome to server!\n')
const BUFFER_SIZE = 65_536 // bytes
const ACCEPTS = 64 // in one turn
const FULL = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]) // no room for more
const RETRY = 5000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node select-server.ts PORT [HOST]')
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
  unsent: Buffer | undefined // made when first needed
  length: number // bytes in unsent
}

const connections = new Map<number, Connection>() // by descriptor
const buffer = Buffer.alloc(BUFFER_SIZE) // for all: no turn leaves a byte in it
// #endregion state

// #region listen
const addr = sockaddr(host, Number(port))
const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
log(`listening on ${format(getsockname(listenFd, addr))}`)
// #endregion listen

// #region loop
const reading = fd_set() // whom we watch: those we would read from ...
const writing = fd_set() // ... and those to whom we owe something
const readable = fd_set() // what select makes of them
const writable = fd_set()
const retry = timeval(RETRY)
const timeout = timeval(0)
let nfds = 0
let retryAt = 0 // when to look at the listening socket again

watch(listenFd, reading)
for (;;) {
  readable.set(reading) // select leaves those in the sets that are ready
  writable.set(writing)
  const accepting = FD_ISSET(listenFd, reading)
  timeout.set(retry)
  const count = trySelect(nfds, readable, writable, null, accepting ? null : timeout)
  if (count === -EINTR) continue
  if (count < 0) throw systemError('select', count)
  for (let fd = 0, left = count; left > 0; fd++) {
    if (FD_ISSET(fd, writable)) {
      left--
      const conn = connections.get(fd)!
      deliver(conn, conn.unsent!, conn.length)
    } else if (FD_ISSET(fd, readable)) {
      left--
      if (fd === listenFd) acceptSome()
      else receive(connections.get(fd)!)
    }
  }
  if (!accepting && performance.now() >= retryAt) watch(listenFd, reading)
}
// #endregion loop

// #region receive
function receive(conn: Connection): void {
  const received = tryRecv(conn.fd, buffer, BUFFER_SIZE, 0)
  if (received > 0) deliver(conn, buffer, received)
  else if (received === 0) drop(conn, `closed ${conn.name}`)
  else if (received !== -EAGAIN) fail(conn, 'recv', received)
}
// #endregion receive

// #region deliver
// Sends `length` bytes. What the kernel does not take is kept, and until it has
// gone, nothing more is read from this client.
function deliver(conn: Connection, bytes: Buffer, length: number): void {
  const sent = trySend(conn.fd, bytes, length, 0)
  if (sent < 0 && sent !== -EAGAIN) return fail(conn, 'send', sent)
  conn.length = length - Math.max(sent, 0)
  if (conn.length === 0) {
    unwatch(conn.fd, writing)
    watch(conn.fd, reading)
    return
  }
  conn.unsent ??= Buffer.alloc(BUFFER_SIZE)
  bytes.copy(conn.unsent, 0, length - conn.length, length)
  unwatch(conn.fd, reading)
  watch(conn.fd, writing)
}
// #endregion deliver

// #region accept
function acceptSome(): void {
  const peer = sockaddr_storage()
  for (let i = 0; i < ACCEPTS; i++) {
    const fd = tryAccept(listenFd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd === -EAGAIN) return
    if (fd < 0) {
      log(systemError('accept', fd).message)
      // The queue stays as it is until a descriptor is free: look away.
      if (FULL.has(fd)) {
        unwatch(listenFd, reading)
        retryAt = performance.now() + RETRY
      }
      return
    }
    const name = format(peer)
    if (fd >= FD_SETSIZE) {
      log(`refused ${name}: descriptor ${fd} does not fit in an fd_set`)
      close(fd)
      continue
    }
    const conn: Connection = { fd, name, unsent: undefined, length: 0 }
    connections.set(fd, conn)
    log(`serving ${name}`)
    deliver(conn, GREETING, GREETING.length)
  }
}
// #endregion accept

// #region drop
function fail(conn: Connection, syscall: string, errno: number): void {
  drop(conn, `${conn.name} ${systemError(syscall, errno).message}`)
}

function drop({ fd }: Connection, reason: string): void {
  unwatch(fd, reading)
  unwatch(fd, writing)
  connections.delete(fd)
  close(fd) // from here on the number may be somebody else's
  log(reason)
  watch(listenFd, reading) // a descriptor is free
}
// #endregion drop

// #region watch
function watch(fd: number, set: Uint8Array): void {
  FD_SET(fd, set)
  nfds = Math.max(nfds, fd + 1)
}

function unwatch(fd: number, set: Uint8Array): void {
  FD_CLR(fd, set)
  while (nfds > 0 && !isWatched(nfds - 1)) nfds--
}

function isWatched(fd: number): boolean {
  return FD_ISSET(fd, reading) || FD_ISSET(fd, writing)
}
// #endregion watch

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
