// A server that listens and never accepts: its queue holds one connection, and nobody
// takes it off.
// usage: node never-accepts.ts PORT [HOST]

import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  bind,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node never-accepts.ts PORT [HOST]')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(listenFd, addr)
  listen(listenFd, 0) // Linux lets one more in than it says
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  setInterval(() => {}, 2 ** 30) // stays, and does nothing
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
