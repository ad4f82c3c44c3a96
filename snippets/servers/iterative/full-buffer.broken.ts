// Wrong on purpose: marks the end of what came with a zero byte, as C does.
// usage: node full-buffer.broken.ts PORT

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

const buffer = Buffer.alloc(8)
for (;;) {
  const connFd = accept(listenFd)
  for (let received; (received = recv(connFd, buffer, 8, 0)) > 0;) {
    buffer[received] = 0 // buffer[8], if 8 bytes came: one past the end
    const end = buffer.indexOf(0) // strlen
    const reply = Buffer.from(buffer.subarray(0, end)).reverse()
    send(connFd, reply, reply.length, 0)
  }
  close(connFd)
}
