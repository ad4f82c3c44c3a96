// Three sends, one recv: TCP keeps the bytes and their order, not where one send ended
// and the next began.

import {
  AF_INET,
  FIONREAD,
  IPPROTO_TCP,
  POLLIN,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVLOWAT,
  TCP_NODELAY,
  accept,
  bind,
  close,
  connect,
  getsockname,
  ioctl,
  listen,
  poll,
  pollfds,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

// Both ends of a connection in one program, so that only the kernel is between them.
const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))
const connFd = accept(listenFd)

// #region three-sends
setsockopt(clientFd, IPPROTO_TCP, TCP_NODELAY, 1) // no waiting: a segment for each send
const messages = ['hello\n', 'how are you\n', 'bye\n']
for (const message of messages) {
  console.log(`send: ${send(clientFd, Buffer.from(message), message.length, 0)}`)
}
// #endregion three-sends

// #region arrived
// Not readable before all of it is there: nobody has to guess how long that takes.
const total = messages.join('').length
setsockopt(connFd, SOL_SOCKET, SO_RCVLOWAT, total) // socket(7)
const fds = pollfds(1)
fds.set(0, connFd, POLLIN)
poll(fds, 1, -1)
const waiting = new Int32Array(1)
ioctl(connFd, FIONREAD, new Uint8Array(waiting.buffer))
console.log(`bytes that wait to be read: ${waiting[0]}`)
// #endregion arrived

// #region one-recv
const buf = Buffer.alloc(1000)
const received = recv(connFd, buf, buf.length, 0)
console.log(`recv: ${received}, ${JSON.stringify(buf.toString('utf8', 0, received))}`)
// #endregion one-recv

for (const fd of [clientFd, connFd, listenFd]) close(fd)
