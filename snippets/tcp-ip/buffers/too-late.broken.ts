// WRONG: a receive buffer that was set small is made large when the connection exists. How large a
// window can be was settled in the handshake.

import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TCP_INFO,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  getsockoptInt,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const LITTLE = 4096
const LARGE = 100_000

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 2)
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))

tell('set after connect', LITTLE, LARGE)
tell('set before connect', LARGE, LARGE)
close(listenFd)

// #region tell
function tell(when: string, before: number, after: number): void {
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(clientFd, SOL_SOCKET, SO_RCVBUF, before)
  connect(clientFd, address)
  setsockopt(clientFd, SOL_SOCKET, SO_RCVBUF, after)
  const info = Buffer.alloc(256) // struct tcp_info; of byte 6, four bits are the peer's scale
  getsockopt(clientFd, IPPROTO_TCP, TCP_INFO, info)
  const scale = info[6]! >> 4
  const size = getsockoptInt(clientFd, SOL_SOCKET, SO_RCVBUF)
  console.log(`${when}: a buffer of ${size}, a window of at most ${65_535 * 2 ** scale}`)
  close(accept(listenFd))
  close(clientFd)
}
// #endregion tell
