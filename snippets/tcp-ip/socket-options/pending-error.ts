// SO_ERROR: the error of something that went on after its call had returned.
// usage: node pending-error.ts

import {
  AF_INET,
  POLLERR,
  POLLHUP,
  POLLOUT,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  bind,
  close,
  connect,
  getsockname,
  getsockoptInt,
  poll,
  pollfds,
  sockaddr_in,
  socket,
  systemError,
} from '#posix'

// A port that is taken, and on which nobody listens
const addr = sockaddr_in('127.0.0.1', 0)
const boundFd = socket(AF_INET, SOCK_STREAM, 0)
bind(boundFd, addr)
getsockname(boundFd, addr)

// #region error
const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
try {
  connect(fd, addr)
} catch (error) {
  console.log((error as NodeJS.ErrnoException).code)
}
const fds = pollfds(1)
fds.set(0, fd, POLLOUT)
poll(fds, 1, -1)
const seen = Object.entries({ POLLOUT, POLLERR, POLLHUP }).filter(([, bit]) => fds.revents(0) & bit)
console.log(`poll: ${seen.map(([name]) => name).join(' ')}`)
for (const time of ['first', 'second']) {
  const errno = getsockoptInt(fd, SOL_SOCKET, SO_ERROR)
  const meaning = errno === 0 ? 'nothing' : systemError('connect', -errno).code
  console.log(`SO_ERROR, the ${time} time: ${errno}, ${meaning}`)
}
// #endregion error
close(fd)
close(boundFd)
