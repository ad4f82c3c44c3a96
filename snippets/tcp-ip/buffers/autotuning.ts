// Buffers that grow as data goes through them, and what stops that: setting the size.

import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_SNDBUF,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockoptInt,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  tryRecv,
  trySend,
} from '#posix'

const MANY = 64 * 1024 * 1024 // bytes
const buf = Buffer.alloc(1024 * 1024)

transfer('as they are', undefined)
transfer('set to 65536', 65_536)

// #region transfer
function transfer(how: string, size: number | undefined): void {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  const senderFd = socket(AF_INET, SOCK_STREAM, 0)
  if (size !== undefined) {
    setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, size) // accepted sockets inherit it
    setsockopt(senderFd, SOL_SOCKET, SO_SNDBUF, size)
  }
  const before = [sizeOf(listenFd, SO_RCVBUF), sizeOf(senderFd, SO_SNDBUF)]
  bind(listenFd, sockaddr_in('127.0.0.1', 0))
  listen(listenFd, 1)
  connect(senderFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
  const receiverFd = accept(listenFd)

  for (let received = 0; received < MANY;) {
    trySend(senderFd, buf, buf.length, MSG_DONTWAIT)
    const n = tryRecv(receiverFd, buf, buf.length, MSG_DONTWAIT)
    if (n > 0) received += n
  }
  const after = [sizeOf(receiverFd, SO_RCVBUF), sizeOf(senderFd, SO_SNDBUF)]
  const [receive, send] = after.map((bytes, i) =>
    bytes > before[i]! ? 'has grown' : 'is as before',
  )
  console.log(`${how}: SO_RCVBUF ${receive}, SO_SNDBUF ${send}`)
  for (const fd of [senderFd, receiverFd, listenFd]) close(fd)
}
// #endregion transfer

function sizeOf(fd: number, option: number): number {
  return getsockoptInt(fd, SOL_SOCKET, option)
}
