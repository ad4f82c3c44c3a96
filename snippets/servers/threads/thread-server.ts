// A thread for each connection. The main thread accepts; a thread of its own serves the client, as
// the iterative server does, and ends with it.
// usage: node thread-server.ts PORT [HOST [THREADS]]

import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import {
  type SystemError,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
  startThread,
} from '#posix'

const threads = new Set<Worker>()
let ended = (): void => {} // called when a thread has ended

const [port = '', host = '127.0.0.1', most = '64'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !/^[1-9]\d{0,3}$/.test(most)) {
  console.error('usage: node thread-server.ts PORT [HOST [THREADS]]')
  process.exit(2)
}

// #region loop
try {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)

  const peer = sockaddr_storage()
  for (;;) {
    const connFd = await acceptNext(listenFd, peer) // waits for a client, deaf to all else
    handOver(connFd, format(peer))
    await turn() // the event loop turns once: threads that have ended are joined
    while (threads.size >= Number(most)) await aThreadEnds()
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
// #endregion loop

// #region hand-over
// From here on the descriptor belongs to the thread, which closes it and says so.
function handOver(connFd: number, client: string): void {
  const file = new URL('./connection-thread.ts', import.meta.url)
  const closed = new Int32Array(new SharedArrayBuffer(4)) // 1 when the thread has closed it
  let thread: Worker
  try {
    thread = startThread(file, { connFd, client, closed }) // a number: each thread has its own copy
  } catch (error) {
    log(`${client} ${(error as Error).message}`) // EAGAIN: no thread for it. pthread_create(3)
    return close(connFd)
  }
  threads.add(thread)
  log(`serving ${client}`)
  thread.on('error', (error: Error) => log(`${client} ${error.message}`))
  thread.on('exit', () => {
    threads.delete(thread)
    // A thread that has not come as far as its file, or that V8 has stopped, has closed nothing.
    if (Atomics.load(closed, 0) === 0) close(connFd)
    ended()
  })
}
// #endregion hand-over

function aThreadEnds(): Promise<void> {
  return new Promise((resolve) => (ended = resolve))
}

// #region accept
// A client may be gone before we take it; then the next one is due. accept(2)
async function acceptNext(listenFd: number, peer: Buffer): Promise<number> {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept4(listenFd, peer, SOCK_CLOEXEC)
    } catch (error) {
      if (gone.includes((error as SystemError).code)) continue
      // EMFILE, ENOMEM and the like: the next accept would fail as well, until a thread ends.
      if (threads.size === 0) throw error
      await aThreadEnds()
    }
  }
}
// #endregion accept

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
