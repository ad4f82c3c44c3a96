// Wrong on purpose: a thread that waits for the messages of its port has no end.
// usage: node never-ends.broken.ts PORT

import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type Worker, isMainThread, parentPort } from 'node:worker_threads'
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
  writeSync(1, `listening on ${format(getsockname(listenFd, addr))}\n`)

  const threads = new Set<Worker>()
  for (;;) {
    const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
    const thread = startThread(import.meta.url)
    threads.add(thread)
    thread.on('exit', () => threads.delete(thread))
    thread.postMessage(connFd)
    await turn() // joins the threads that have ended, if there were any
    writeSync(1, `${threads.size} threads for 1 client\n`)
  }
} else {
  // #region thread
  parentPort!.on('message', (connFd: number) => {
    const buffer = Buffer.alloc(1024)
    for (;;) {
      const received = recv(connFd, buffer, buffer.length, 0)
      if (received === 0) break
      send(connFd, buffer, received, 0)
    }
    close(connFd)
  })
  // #endregion thread
}
