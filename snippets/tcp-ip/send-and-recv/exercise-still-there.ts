// Whether the other side is still there, without a byte taken or sent.

import {
  AF_INET,
  EAGAIN,
  MSG_DONTWAIT,
  MSG_PEEK,
  POLLHUP,
  POLLIN,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  accept,
  bind,
  close,
  connect,
  getsockname,
  linger,
  listen,
  poll,
  pollfds,
  send,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const buf = Buffer.alloc(1)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))

tell('does nothing', 0, () => {})
tell('sends', POLLIN, (connFd) => send(connFd, Buffer.from('hello'), 5, 0))
tell('closes', POLLIN, (connFd) => close(connFd))
tell('resets', POLLHUP, (connFd) => {
  setsockopt(connFd, SOL_SOCKET, SO_LINGER, linger(true, 0))
  close(connFd)
})

// #region still-there
/** What a socket knows of the other side. If that has lost its power, the socket knows nothing. */
function stillThere(fd: number): string {
  const n = tryRecv(fd, buf, 1, MSG_PEEK | MSG_DONTWAIT)
  if (n === -EAGAIN) return 'it is there, as far as is known'
  if (n < 0) return `it is gone: ${systemError('recv', n).code}`
  return n === 0 ? 'it will send no more' : 'it has sent something'
}
// #endregion still-there

function tell(what: string, event: number, act: (connFd: number) => void): void {
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, address)
  act(accept(listenFd))
  if (event !== 0) {
    const fds = pollfds(1)
    fds.set(0, clientFd, event)
    poll(fds, 1, -1)
  }
  console.log(`the server ${what}: ${stillThere(clientFd)}`)
  close(clientFd)
}
