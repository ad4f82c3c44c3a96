// What an accepted connection has from the listening socket, and what two descriptors share.
// usage: node inherited.ts

import {
  AF_INET,
  F_GETFL,
  IPPROTO_TCP,
  O_NONBLOCK,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  TCP_NODELAY,
  accept,
  accept4,
  bind,
  close,
  connect,
  dup,
  fcntl,
  getsockname,
  getsockoptInt,
  listen,
  setNonBlocking,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
show('new', listenFd)

setNonBlocking(listenFd)
setsockopt(listenFd, SOL_SOCKET, SO_KEEPALIVE, 1)
setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1)
bind(listenFd, addr)
listen(listenFd, 8)
getsockname(listenFd, addr)
show('listening', listenFd)

// #region accepted
const clientFds = [connected(), connected()]
const connFd = accept(listenFd)
show('accept', connFd)
const secondFd = accept4(listenFd, undefined, SOCK_NONBLOCK)
show('accept4', secondFd)
// #endregion accepted

// #region dup
const copyFd = dup(connFd)
setNonBlocking(copyFd)
show('accept, after dup', connFd)
// #endregion dup
for (const fd of [...clientFds, connFd, secondFd, copyFd, listenFd]) close(fd)

function connected(): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  connect(fd, addr)
  return fd
}

function show(what: string, fd: number): void {
  const waits = (fcntl(fd, F_GETFL) & O_NONBLOCK) === 0 ? 'blocking' : 'non-blocking'
  const keepAlive = getsockoptInt(fd, SOL_SOCKET, SO_KEEPALIVE)
  const noDelay = getsockoptInt(fd, IPPROTO_TCP, TCP_NODELAY)
  console.log(`${what}: ${waits}, SO_KEEPALIVE ${keepAlive}, TCP_NODELAY ${noDelay}`)
}
