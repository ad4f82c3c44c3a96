// Wrong on purpose: process.exit waits for each thread, and a thread in a system call has no time.
// usage: node exit-hangs.broken.ts PORT

import { writeSync } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  accept,
  bind,
  close,
  format,
  getsockname,
  listen,
  sockaddr_in,
  socket,
  startThread,
} from '#posix'

if (isMainThread) {
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  const thread = startThread(import.meta.url, listenFd)
  thread.on('message', () => {
    writeSync(1, `listening on ${format(getsockname(listenFd, addr))}\n`)
  })

  // #region exit
  process.once('SIGTERM', () => {
    writeSync(1, 'stopping\n')
    process.exit(0)
  })
  // #endregion exit
} else {
  parentPort!.postMessage('ready')
  for (;;) close(accept(workerData as number))
}
