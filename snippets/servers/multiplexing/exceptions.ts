// The three sets of select: which of them has a connection after which
// event. An "exception" is an urgent byte. An error is none: it makes a
// connection readable, and writable.

import {
  AF_INET,
  FD_ISSET,
  FD_SET,
  MSG_OOB,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  accept,
  bind,
  close,
  connect,
  fd_set,
  getsockname,
  linger,
  listen,
  poll,
  pollfds,
  select,
  send,
  setsockopt,
  shutdown,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr)

after('nothing', 0, () => {})
after('a byte', POLLIN, (peerFd) => send(peerFd, Buffer.from('a'), 1, 0))
after('an urgent byte', POLLPRI, (peerFd) => send(peerFd, Buffer.from('!'), 1, MSG_OOB))
after('a half-close', POLLIN, (peerFd) => shutdown(peerFd, SHUT_WR))
after('a reset', POLLHUP, (peerFd) => {
  setsockopt(peerFd, SOL_SOCKET, SO_LINGER, linger(true, 0))
  close(peerFd)
})

/** Makes a connection, lets the peer act, waits until `sign` tells that it has arrived. */
function after(what: string, sign: number, act: (peerFd: number) => void): void {
  const peerFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(peerFd, addr)
  const connFd = accept(listenFd)
  act(peerFd)
  const places = pollfds(1)
  places.set(0, connFd, POLLIN | POLLPRI | POLLOUT)
  do poll(places, 1, -1)
  while ((places.revents(0) & sign) !== sign)
  console.log(`${what.padEnd(15)} ${sets(connFd)}  ${bits(places.revents(0))}`)
}

// #region three-sets
function sets(fd: number): string {
  const [readfds, writefds, exceptfds] = [fd_set(), fd_set(), fd_set()]
  for (const set of [readfds, writefds, exceptfds]) FD_SET(fd, set)
  select(fd + 1, readfds, writefds, exceptfds, timeval(0))
  const names = { readfds, writefds, exceptfds }
  const found = Object.entries(names).map(([name, set]) => (FD_ISSET(fd, set) ? name : ''))
  return found.map((name) => name.padEnd(9)).join(' ')
}
// #endregion three-sets

function bits(events: number): string {
  const names = { POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP }
  const set = Object.entries(names).filter(([, bit]) => events & bit)
  return set.map(([name]) => name).join(' ')
}
