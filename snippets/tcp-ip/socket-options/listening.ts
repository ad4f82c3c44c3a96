// Options of a listening socket: SO_ACCEPTCONN, TCP_DEFER_ACCEPT, and what TCP_INFO says
// of its queue.
// usage: node listening.ts

import {
  AF_INET,
  IPPROTO_TCP,
  POLLIN,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  TCP_DEFER_ACCEPT,
  TCP_INFO,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  getsockoptInt,
  listen,
  poll,
  pollfds,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
const addr = sockaddr_in('127.0.0.1', 0)
bind(listenFd, addr)
getsockname(listenFd, addr)

// #region acceptconn
console.log(`SO_ACCEPTCONN before listen: ${getsockoptInt(listenFd, SOL_SOCKET, SO_ACCEPTCONN)}`)
listen(listenFd, 8)
console.log(`SO_ACCEPTCONN after listen: ${getsockoptInt(listenFd, SOL_SOCKET, SO_ACCEPTCONN)}`)
// #endregion acceptconn

// #region queue
const early = client()
acceptable(-1)
console.log(queue())
close(accept(listenFd))
console.log(queue())
close(early)
// #endregion queue

// #region defer
setsockopt(listenFd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5)
const clientFd = client() // connect has returned
console.log(`connected, and nothing sent: ${acceptable(0)}`)
send(clientFd, Buffer.from('x'), 1, 0)
console.log(`a byte is sent: ${acceptable(-1)}`)
// #endregion defer
for (const fd of [clientFd, accept(listenFd), listenFd]) close(fd)

function client(): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  connect(fd, addr)
  return fd
}

function acceptable(timeout: number): string {
  const fds = pollfds(1)
  fds.set(0, listenFd, POLLIN)
  return poll(fds, 1, timeout) > 0 ? 'accept would return' : 'accept would wait'
}

// #region info
/** Of a listening socket struct tcp_info has the queue in tcpi_unacked, its limit in tcpi_sacked. */
function queue(): string {
  const info = Buffer.alloc(256)
  getsockopt(listenFd, IPPROTO_TCP, TCP_INFO, info)
  return `TCP_INFO: ${info.readUInt32LE(24)} of ${info.readUInt32LE(28)} in the accept queue`
}
// #endregion info
