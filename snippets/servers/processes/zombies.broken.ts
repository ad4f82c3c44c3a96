// Wrong on purpose: starts a process for each client, and never asks how it ended.
// usage: node zombies.broken.ts PORT

import { spawn } from 'node:child_process'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  accept4,
  bind,
  close,
  format,
  getsockname,
  listen,
  sockaddr_in,
  socket,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

for (;;) {
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  const child = spawn('cat', { stdio: [connFd, connFd, 'ignore'] })
  child.on('exit', () => console.log('a child has ended')) // never: no event loop
  close(connFd)
}
