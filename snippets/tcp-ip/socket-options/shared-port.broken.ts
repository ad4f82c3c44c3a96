// Wrong on purpose: two servers that take SO_REUSEADDR for the right to share a port.
// usage: node shared-port.broken.ts

import {
  AF_INET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  bind,
  getsockname,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

try {
  // #region servers
  const firstFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(firstFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(firstFd, sockaddr_in('127.0.0.1', 0))
  const addr = getsockname(firstFd, sockaddr_in('127.0.0.1', 0))

  const secondFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(secondFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(secondFd, addr)
  console.log('both are bound')

  listen(firstFd, 8)
  console.log('the first listens')
  listen(secondFd, 8)
  console.log('the second listens')
  // #endregion servers
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
