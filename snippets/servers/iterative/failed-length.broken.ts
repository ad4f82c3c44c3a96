// Wrong on purpose: takes the result of a call that has failed for a length.
// usage: node failed-length.broken.ts PORT

import {
  AF_INET,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_RCVTIMEO,
  accept,
  bind,
  close,
  format,
  getsockname,
  listen,
  send,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
  tryRecv,
} from '#posix'

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const buffer = Buffer.alloc(32)
for (;;) {
  const connFd = accept(listenFd)
  // recv waits a second, then fails with EAGAIN, which is 11.
  setsockopt(connFd, SOL_SOCKET, SO_RCVTIMEO, timeval(1000))
  for (let received; (received = tryRecv(connFd, buffer, buffer.length, 0));) {
    const line = buffer.subarray(0, received - 1) // and if received is -11?
    const reply = Buffer.from(line).reverse()
    send(connFd, reply, reply.length, 0)
    if (received < 0) break
  }
  close(connFd)
}
