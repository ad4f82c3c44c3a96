// IPV6_V6ONLY: whether a socket at :: is there for IPv4 as well.
// usage: node two-families.ts

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  setsockopt,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_storage,
  socket,
} from '#posix'

for (const only of [0, 1]) {
  // #region listen
  const listenFd = socket(AF_INET6, SOCK_STREAM, 0)
  setsockopt(listenFd, IPPROTO_IPV6, IPV6_V6ONLY, only)
  bind(listenFd, sockaddr_in6('::', 0))
  listen(listenFd, 1)
  const { port } = endpoint(getsockname(listenFd, sockaddr_in6('::', 0)))
  // #endregion listen

  // #region clients
  for (const addr of [sockaddr_in6('::1', port!), sockaddr_in('127.0.0.1', port!)]) {
    const family = addr.length === 28 ? AF_INET6 : AF_INET
    const clientFd = socket(family, SOCK_STREAM, 0)
    try {
      connect(clientFd, addr)
      const from = sockaddr_storage()
      close(accept(listenFd, from))
      console.log(`IPV6_V6ONLY ${only}: a client from ${endpoint(from).address}`)
    } catch (error) {
      console.log(`IPV6_V6ONLY ${only}: ${(error as NodeJS.ErrnoException).code}`)
    }
    close(clientFd)
  }
  // #endregion clients

  // #region beside
  const besideFd = socket(AF_INET, SOCK_STREAM, 0)
  try {
    bind(besideFd, sockaddr_in('0.0.0.0', port!))
    console.log(`IPV6_V6ONLY ${only}: another socket has the port at 0.0.0.0`)
  } catch (error) {
    console.log(
      `IPV6_V6ONLY ${only}: the port at 0.0.0.0 is ${(error as NodeJS.ErrnoException).code}`,
    )
  }
  // #endregion beside
  for (const fd of [besideFd, listenFd]) close(fd)
}
