// Wrong on purpose: asks for SIGIO and has no handler for it.
// usage: node no-handler.broken.ts PORT [HOST]

import { setImmediate } from 'node:timers/promises'
import {
  F_GETFL,
  F_SETFL,
  F_SETOWN,
  O_ASYNC,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  fcntl,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node no-handler.broken.ts PORT [HOST]')
  process.exit(2)
}

try {
  const connFd = firstClient()
  fcntl(connFd, F_SETOWN, process.pid)
  fcntl(connFd, F_SETFL, fcntl(connFd, F_GETFL) | O_ASYNC)
  console.log('works')
  for (;;) await setImmediate()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// Listens, takes the first client, and listens no longer.
function firstClient(): number {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, 1)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  close(listenFd)
  return connFd
}
