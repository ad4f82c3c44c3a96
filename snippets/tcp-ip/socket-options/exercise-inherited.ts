// Which options an accepted connection has from the listening socket.
// usage: node exercise-inherited.ts

import {
  AF_INET,
  IPPROTO_IP,
  IPPROTO_TCP,
  IP_TOS,
  IP_TTL,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_KEEPALIVE,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_KEEPIDLE,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockoptInt,
  listen,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const options = {
  SO_REUSEADDR: [SOL_SOCKET, SO_REUSEADDR, 1],
  SO_KEEPALIVE: [SOL_SOCKET, SO_KEEPALIVE, 1],
  SO_RCVLOWAT: [SOL_SOCKET, SO_RCVLOWAT, 10],
  TCP_NODELAY: [IPPROTO_TCP, TCP_NODELAY, 1],
  TCP_CORK: [IPPROTO_TCP, TCP_CORK, 1],
  TCP_KEEPIDLE: [IPPROTO_TCP, TCP_KEEPIDLE, 60],
  TCP_USER_TIMEOUT: [IPPROTO_TCP, TCP_USER_TIMEOUT, 5000],
  TCP_DEFER_ACCEPT: [IPPROTO_TCP, TCP_DEFER_ACCEPT, 1],
  IP_TOS: [IPPROTO_IP, IP_TOS, 0x10],
  IP_TTL: [IPPROTO_IP, IP_TTL, 3],
} as const

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
for (const [level, name, value] of Object.values(options)) setsockopt(listenFd, level, name, value)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))
send(clientFd, Buffer.from('x'), 1, 0) // for TCP_DEFER_ACCEPT
const connFd = accept(listenFd)

for (const [text, [level, name]] of Object.entries(options)) {
  const [theirs, ours] = [listenFd, connFd].map((fd) => getsockoptInt(fd, level, name))
  console.log(`${text}: ${theirs}, accepted ${ours}${theirs === ours ? '' : ', not inherited'}`)
}
console.log(`SO_ACCEPTCONN: 1, accepted ${getsockoptInt(connFd, SOL_SOCKET, SO_ACCEPTCONN)}`)
for (const fd of [clientFd, connFd, listenFd]) close(fd)
