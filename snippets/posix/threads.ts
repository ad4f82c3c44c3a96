// Threads. Where a C program calls pthread_create, a Node program makes a Worker: a thread with a
// JavaScript engine of its own. Threads share the process, and with it every descriptor; they share
// no variables.

import { Worker } from 'node:worker_threads'
import { libc } from './platform.ts'

const calls = {
  gettid: libc.func('int gettid()'),
  _exit: libc.func('void _exit(int)'),
}

// #region startThread
/**
 * Starts a thread that runs a file from its top. On Node 22.18 and later this is
 * `new Worker(new URL(file), { workerData })`; on Node 20 it is tsx that knows TypeScript, and each
 * thread has to ask it anew.
 * @param file its URL: import.meta.url for the program itself, where isMainThread tells the two
 * apart
 * @param workerData what the thread finds in its own workerData: a copy, except of a
 * SharedArrayBuffer
 * @returns the Worker. Its 'error' has the code ERR_WORKER_INIT_FAILED where the thread began and
 * could not go on: EMFILE
 * @throws ERR_WORKER_INIT_FAILED where there is no thread at all: EAGAIN. pthread_create(3)
 */
export function startThread(file: string | URL, workerData?: unknown): Worker {
  const url = JSON.stringify(String(file))
  const code = process.features.typescript
    ? `import(${url})`
    : `import('tsx/esm/api').then((tsx) => (tsx.register(), import(${url})))`
  // Node would warn when a thread closes a descriptor that another one has opened.
  return new Worker(code, { eval: true, workerData, trackUnmanagedFds: false })
}
// #endregion startThread

/** The id that the kernel has given to this thread. /proc/self/task has them all. gettid(2) */
export function gettid(): number {
  return calls.gettid() as number
}

/**
 * Ends the process at once, with all its threads. process.exit would wait for those that are in a
 * system call. _exit(2)
 */
export function _exit(status: number): never {
  calls._exit(status)
  throw new Error('unreachable')
}
