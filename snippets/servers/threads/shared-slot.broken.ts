// Wrong on purpose: the threads are told where the descriptor stands, and not what it is.
// usage: node shared-slot.broken.ts PORT

import { writeSync } from 'node:fs'
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

const CONN_FD = 0
const CLIENT = 1
const TURN = 2

if (isMainThread) {
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)

  // #region main
  const shared = new Int32Array(new SharedArrayBuffer(12))
  for (let client = 1; ; client++) {
    shared[CONN_FD] = accept4(listenFd, undefined, SOCK_CLOEXEC)
    shared[CLIENT] = client
    log(`accepted client ${client}`)
    startThread(import.meta.url, { thread: client, shared })
    if (client === 2) giveTurnTo(1, shared)
  }
  // #endregion main
} else {
  // #region thread
  const { thread, shared } = workerData as { thread: number; shared: Int32Array }
  waitForTurn(thread, shared)
  const connFd = shared[CONN_FD]!
  log(`thread ${thread} serves client ${shared[CLIENT]}`)
  giveTurnTo(thread + 1, shared)
  // #endregion thread
  const buffer = Buffer.alloc(1024)
  for (;;) {
    const received = recv(connFd, buffer, buffer.length, 0)
    if (received === 0) break
    send(connFd, buffer, received, 0)
  }
  close(connFd)
}

// #region turn
// A thread begins when the scheduler lets it, before the next accept or after it. Here they begin
// when two clients are there, one thread after the other, so that every run shows the same.
function giveTurnTo(thread: number, shared: Int32Array): void {
  Atomics.store(shared, TURN, thread)
  Atomics.notify(shared, TURN)
}

function waitForTurn(thread: number, shared: Int32Array): void {
  for (;;) {
    const turn = Atomics.load(shared, TURN)
    if (turn >= thread) return
    Atomics.wait(shared, TURN, turn)
  }
}
// #endregion turn

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
