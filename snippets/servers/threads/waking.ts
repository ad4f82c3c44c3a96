// What wakes a thread that waits in accept? Three attempts, each on a thread and a socket of its own.
// usage: node waking.ts

import { once } from 'node:events'
import { readFileSync, writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  AF_INET,
  EAGAIN,
  SHUT_RDWR,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  getsockname,
  gettid,
  listen,
  setNonBlocking,
  shutdown,
  sockaddr_in,
  socket,
  startThread,
  tryAccept,
} from '#posix'

if (isMainThread) {
  {
    const { listenFd, addr, thread } = await waitingThread()
    void thread.terminate()
    log('terminate(): the thread does not notice')
    connect(socket(AF_INET, SOCK_STREAM, 0), addr)
    const [status] = await once(thread, 'exit')
    log(`a client connects: the thread ends, with status ${status}`)
    setNonBlocking(listenFd)
    const taken = tryAccept(listenFd, undefined, 0) === -EAGAIN
    log(`the client ${taken ? 'was taken by its accept, and is lost' : 'is still in the queue'}`)
  }

  {
    const { listenFd, addr, thread } = await waitingThread()
    const clientFd = socket(AF_INET, SOCK_STREAM, 0)
    close(listenFd)
    log('close(): the thread does not notice')
    connect(clientFd, addr) // somebody still listens
    await once(thread, 'exit')
  }

  {
    const { listenFd, thread } = await waitingThread()
    log('shutdown():')
    shutdown(listenFd, SHUT_RDWR)
    await once(thread, 'exit')
  }
} else {
  const listenFd = workerData as number
  parentPort!.postMessage(gettid())
  try {
    for (;;) {
      accept(listenFd)
      log('  accept returns a client')
    }
  } catch (error) {
    log(`  ${(error as Error).message}`)
  }
}

// #region waiting
/** A thread that waits in accept, according to the kernel: proc(5), /proc/PID/task/TID/syscall. */
async function waitingThread(): Promise<{ listenFd: number; addr: Buffer; thread: Worker }> {
  const ACCEPT4 = process.arch === 'arm64' ? 242 : 288
  const addr = sockaddr_in('127.0.0.1', 0)
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  bind(listenFd, addr)
  listen(listenFd, 1)
  getsockname(listenFd, addr)
  const thread = startThread(import.meta.url, listenFd)
  const [tid] = (await once(thread, 'message')) as [number]
  while (!readFileSync(`/proc/self/task/${tid}/syscall`, 'latin1').startsWith(`${ACCEPT4} `)) {
    await turn()
  }
  return { listenFd, addr, thread }
}
// #endregion waiting

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
