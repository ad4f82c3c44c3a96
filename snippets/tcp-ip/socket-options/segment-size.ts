// TCP_MAXSEG: how long a segment may be. The peer is told in the handshake.
// usage: node segment-size.ts (in a network of its own: unshare -Urn node segment-
// size.ts, lo up)

import {
  AF_INET,
  IPPROTO_TCP,
  MSG_WAITALL,
  SOCK_STREAM,
  TCP_INFO,
  TCP_MAXSEG,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  getsockoptInt,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const buf = Buffer.alloc(9880)
const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr)

// #region maxseg
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
console.log(`TCP_MAXSEG of a new socket: ${getsockoptInt(clientFd, IPPROTO_TCP, TCP_MAXSEG)}`)
setsockopt(clientFd, IPPROTO_TCP, TCP_MAXSEG, 1000)
connect(clientFd, addr)
const connFd = accept(listenFd)
console.log(`connected: ${getsockoptInt(clientFd, IPPROTO_TCP, TCP_MAXSEG)}`)
console.log(`the peer: ${getsockoptInt(connFd, IPPROTO_TCP, TCP_MAXSEG)}`)
send(connFd, buf, buf.length, 0)
recv(clientFd, buf, buf.length, MSG_WAITALL)
const info = Buffer.alloc(256)
getsockopt(connFd, IPPROTO_TCP, TCP_INFO, info)
console.log(`${buf.length} bytes from the peer: ${info.readUInt32LE(156)} segments`)
// #endregion maxseg
for (const fd of [clientFd, connFd, listenFd]) close(fd)
