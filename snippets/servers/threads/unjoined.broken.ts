// Wrong on purpose: a thread for each connection, and nobody joins the threads that have ended.
// usage: node unjoined.broken.ts PORT

import { writeSync } from 'node:fs'
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
  sockaddr_storage,
  socket,
  startThread,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
log(`listening on ${format(getsockname(listenFd, addr))}`)

// #region loop
const file = new URL('./connection-thread.ts', import.meta.url)
const peer = sockaddr_storage()
let started = 0
let joined = 0
for (;;) {
  const connFd = accept4(listenFd, peer, SOCK_CLOEXEC)
  log(`${started} threads started so far, ${joined} joined`)
  const thread = startThread(file, { connFd, client: format(peer) })
  thread.on('exit', () => joined++)
  started++
}
// #endregion loop

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
