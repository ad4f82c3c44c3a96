// Wrong on purpose: takes what one recv returns for one line.
// usage: node one-recv-one-line.broken.ts PORT

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

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const buffer = Buffer.alloc(1000)
for (;;) {
  const connFd = accept(listenFd)
  for (let received; (received = recv(connFd, buffer, 1000, 0)) > 0;) {
    const reply = buffer.subarray(0, received - 1).reverse() // drop the newline
    send(connFd, reply, reply.length, 0)
  }
  close(connFd)
}
