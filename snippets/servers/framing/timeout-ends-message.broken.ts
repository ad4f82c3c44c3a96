// Wrong on purpose: takes a silence of 100 ms for the end of a message.
// usage: node timeout-ends-message.broken.ts PORT

import {
  AF_INET,
  EAGAIN,
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

const connFd = accept(listenFd)
setsockopt(connFd, SOL_SOCKET, SO_RCVTIMEO, timeval(100))

// #region silence
const buffer = Buffer.alloc(1000)
for (let used = 0; ;) {
  const received = tryRecv(connFd, buffer.subarray(used), buffer.length - used, 0)
  if (received > 0) {
    used += received
  } else if (received === -EAGAIN) {
    if (used === 0) continue // no message yet
    const reply = Buffer.from(buffer.toString('utf8', 0, used).toUpperCase())
    send(connFd, reply, reply.length, 0)
    used = 0
  } else {
    break
  }
}
// #endregion silence
close(connFd)
close(listenFd)
