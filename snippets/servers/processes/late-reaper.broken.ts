// Wrong on purpose: looks for children that have ended only when the next client comes.
// usage: node late-reaper.broken.ts PORT

import { spawn } from 'node:child_process'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  WEXITSTATUS,
  WNOHANG,
  accept4,
  bind,
  close,
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

let children = 0
for (;;) {
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  // #region reap
  while (children > 0) {
    const { pid, status } = waitpid(-1, WNOHANG)
    if (pid === 0) break // the others are still at work
    children--
    console.log(`pid ${pid} has ended: status ${WEXITSTATUS(status)}`)
  }
  // #endregion reap
  spawn('cat', { stdio: [connFd, connFd, 'ignore'] })
  children++
  close(connFd)
}
