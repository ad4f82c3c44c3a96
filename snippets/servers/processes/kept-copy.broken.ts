// Wrong on purpose: keeps its own descriptor of each connection that a child has got.
// usage: node kept-copy.broken.ts PORT

import { spawn } from 'node:child_process'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  accept4,
  bind,
  format,
  getsockname,
  listen,
  sockaddr_in,
  socket,
  waitpid,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

for (;;) {
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  const child = spawn('cat', { stdio: [connFd, connFd, 'ignore'] })
  const { pid } = waitpid(child.pid!, 0) // one client after another, for once
  console.log(`pid ${pid} has ended`)
}
