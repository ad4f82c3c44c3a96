// Wrong on purpose: does not look whether bind has failed.
// usage: node unchecked-bind.broken.ts PORT

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

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
try {
  bind(listenFd, addr)
} catch {
  // C needs no catch for this: it suffices to ignore what bind returns.
}
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const buffer = Buffer.alloc(256)
for (;;) {
  const connFd = accept(listenFd)
  for (let received; (received = recv(connFd, buffer, buffer.length, 0)) > 0;) {
    send(connFd, buffer, received, 0)
  }
  close(connFd)
}
