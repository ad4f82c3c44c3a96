// Wrong on purpose: sends the whole buffer back, whatever has come.
// usage: node whole-buffer.broken.ts PORT

import {
  AF_INET,
  SOCK_STREAM,
  SOMAXCONN,
  accept,
  bind,
  close,
  format,
  getsockname,
  listen,
  recv,
  send,
  sockaddr_in,
  socket,
} from '#posix'

const buffer = Buffer.alloc(256)

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

for (;;) {
  const connFd = accept(listenFd)
  for (;;) {
    buffer.fill(0)
    if (recv(connFd, buffer, buffer.length, 0) === 0) break
    send(connFd, buffer, buffer.length, 0)
  }
  close(connFd)
}
