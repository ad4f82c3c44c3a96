// Wrong on purpose: its listening socket has no SOCK_CLOEXEC, so each child has it too.
// usage: node leaked-listener.broken.ts PORT

import { spawn } from 'node:child_process'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

try {
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)

  for (;;) {
    const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
    spawn('cat', { stdio: [connFd, connFd, 'ignore'] })
    close(connFd)
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
