// Wrong on purpose: nobody listens for the error of a thread.
// usage: node unhandled-error.broken.ts PORT

import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread, workerData } from 'node:worker_threads'
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
  recv,
  send,
  sockaddr_in,
  socket,
  startThread,
} from '#posix'

if (isMainThread) {
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)

  process.on('uncaughtException', (error) => {
    console.error(error.message)
    process.exit(1)
  })

  for (let client = 1; ; client++) {
    const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
    startThread(import.meta.url, { connFd, client })
    log(`serving client ${client}`)
    await turn()
  }
} else {
  // #region thread
  const { connFd, client } = workerData as { connFd: number; client: number }
  const utf8 = new TextDecoder('utf-8', { fatal: true }) // throws on what is not UTF-8
  const buffer = Buffer.alloc(1024)
  for (;;) {
    const received = recv(connFd, buffer, buffer.length, 0)
    if (received === 0) break
    log(`client ${client} says ${utf8.decode(buffer.subarray(0, received)).trim()}`)
    send(connFd, buffer, received, 0)
  }
  close(connFd)
  // #endregion thread
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
