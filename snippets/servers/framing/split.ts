// One send, and many calls of recv: for want of room in the buffer that recv is given, and for want
// of bytes that have arrived.

import {
  AF_INET,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_SNDBUF,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockoptInt,
  listen,
  poll,
  pollfds,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr)

const fds = pollfds(1)
const buf = Buffer.alloc(200_000)

// #region room
// 50,000 bytes, and a recv with room for 16,384.
{
  const { clientFd, connFd } = connection()
  console.log(`send: ${send(clientFd, Buffer.alloc(50_000), 50_000, 0)}`)
  setsockopt(connFd, SOL_SOCKET, SO_RCVLOWAT, 50_000)
  untilReadable(connFd) // so all of it has arrived
  for (let left = 50_000; left > 0;) {
    const received = recv(connFd, buf, 16_384, MSG_DONTWAIT)
    console.log(`recv with room for 16384: ${received}`)
    left -= received
  }
  close(clientFd)
  close(connFd)
}
// #endregion room

// #region arrival
// 200,000 bytes, and a recv with room for all of them. The receiving kernel has not.
{
  setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, 8192) // accepted sockets inherit it
  const { clientFd, connFd } = connection()
  setsockopt(clientFd, SOL_SOCKET, SO_SNDBUF, 212_992)
  console.log(`send: ${send(clientFd, Buffer.alloc(200_000), 200_000, 0)}`)
  let [calls, longest] = [0, 0]
  for (let left = 200_000; left > 0;) {
    untilReadable(connFd)
    const received = recv(connFd, buf, 200_000, MSG_DONTWAIT)
    left -= received
    calls += 1
    longest = Math.max(longest, received)
  }
  const kernelRoom = getsockoptInt(connFd, SOL_SOCKET, SO_RCVBUF)
  console.log(`the receiving kernel has room for ${kernelRoom}`)
  const least = Math.ceil(200_000 / kernelRoom)
  if (calls >= least && longest <= kernelRoom) {
    console.log(`recv with room for 200000: ${least} times or more`)
  }
  close(clientFd)
  close(connFd)
}
// #endregion arrival

close(listenFd)

function connection(): { clientFd: number; connFd: number } {
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, addr)
  return { clientFd, connFd: accept(listenFd) }
}

function untilReadable(fd: number): void {
  fds.set(0, fd, POLLIN)
  poll(fds, 1, -1)
}
