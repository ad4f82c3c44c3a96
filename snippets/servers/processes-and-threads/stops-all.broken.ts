// Wrong on purpose: one of two processes ends in order, and the other one ends with it.
// usage: node stops-all.broken.ts PORT

import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort } from 'node:worker_threads'
import {
  AF_INET,
  SHUT_RDWR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  accept4,
  bind,
  close,
  format,
  getsockname,
  listen,
  shutdown,
  sockaddr_in,
  socket,
  startThread,
} from '#posix'

if (!isMainThread) acceptAll()
else if (process.argv[2] === 'worker') work()
else supervise()

function supervise(): void {
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)

  let ready = 0
  const command = [...process.execArgv, fileURLToPath(import.meta.url), 'worker']
  const children = [1, 2].map(() =>
    spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit', listenFd, 'ipc'] }),
  )
  for (const child of children) {
    child.on('message', () => {
      ready++
      if (ready === 2) log(`listening on ${format(getsockname(listenFd, addr))}`)
    })
  }
  // A new version is to take the place of the first process.
  process.once('SIGHUP', () => {
    log('SIGTERM to the first process')
    children[0]!.kill('SIGTERM')
  })
  process.once('SIGTERM', () => children.forEach((child) => child.kill('SIGTERM')))
}

// #region work
function work(): void {
  const thread = startThread(import.meta.url)
  thread.on('message', () => process.send?.('ready', () => {}))
  thread.on('exit', () => process.disconnect?.())
  process.once('SIGTERM', () => shutdown(3, SHUT_RDWR)) // wakes our thread, and whose else?
}

function acceptAll(): void {
  parentPort!.postMessage('ready')
  try {
    for (;;) close(accept4(3, undefined, SOCK_CLOEXEC))
  } catch (error) {
    log(`pid ${process.pid}: ${(error as Error).message}`)
  }
}
// #endregion work

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
