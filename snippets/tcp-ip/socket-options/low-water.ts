// SO_RCVLOWAT: how many bytes there have to be before a socket counts as readable.
// FIONREAD: how many there are.
// usage: node low-water.ts

import {
  AF_INET,
  FIONREAD,
  POLLIN,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVLOWAT,
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
  shutdown,
  sockaddr_in,
  socket,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))
const connFd = accept(listenFd)

// #region low-water
setsockopt(connFd, SOL_SOCKET, SO_RCVLOWAT, 10)
send(clientFd, Buffer.from('123456789'), 9, 0)
await arrived(9)
look()
send(clientFd, Buffer.from('0'), 1, 0)
await arrived(10)
look()
// #endregion low-water

// #region not-recv
const buf = Buffer.alloc(4)
console.log(`recv of 4: ${recv(connFd, buf, 4, 0)} bytes`)
look()
setsockopt(connFd, SOL_SOCKET, SO_RCVLOWAT, 1)
look()
setsockopt(connFd, SOL_SOCKET, SO_RCVLOWAT, 10)
shutdown(clientFd, SHUT_WR)
poll(watched(), 1, -1) // would wait for ever, if the end did not count
look()
// #endregion not-recv
for (const fd of [clientFd, connFd, listenFd]) close(fd)

function look(): void {
  const fds = watched()
  const readable = poll(fds, 1, 0) > 0 && (fds.revents(0) & POLLIN) !== 0
  console.log(`${waiting()} bytes wait, ${readable ? 'readable' : 'not readable'}`)
}

function watched() {
  const fds = pollfds(1)
  fds.set(0, connFd, POLLIN)
  return fds
}

// #region fionread
function waiting(): number {
  const count = Buffer.alloc(4)
  ioctl(connFd, FIONREAD, count)
  return count.readInt32LE()
}
// #endregion fionread

async function arrived(count: number): Promise<void> {
  while (waiting() < count) await new Promise((resolve) => setImmediate(resolve))
}
