// A program that starts itself as a thread; what that one finds and does is printed.

import { fstatSync, openSync, readdirSync, writeSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import { RLIMIT_NOFILE, _exit, close, getrlimit, gettid, setrlimit, startThread } from '#posix'

interface Given {
  how: string | undefined
  fd: number
  numbers: number[]
  shared: Int32Array
}

if (isMainThread) {
  const [how] = process.argv.slice(2)
  const given: Given = {
    how,
    fd: openSync('/dev/null', 'r'),
    numbers: [gettid()],
    shared: new Int32Array(new SharedArrayBuffer(4)),
  }
  if (how === 'without-descriptors') {
    const used = readdirSync('/proc/self/fd').length - 1 // one was for the reading itself
    setrlimit(RLIMIT_NOFILE, { ...getrlimit(RLIMIT_NOFILE), soft: used })
  }
  const thread = startThread(import.meta.url, given)
  thread.on('error', (error: NodeJS.ErrnoException) => {
    console.log(error.code === undefined ? error.message : `${error.code} ${error.message}`)
  })
  thread.on('exit', (status) => {
    if (how === 'serves') {
      console.log(`copied: ${given.numbers.length === 1}`)
      console.log(`shared: ${given.shared[0] !== 0 && given.shared[0] !== gettid()}`)
      console.log(`closed: ${isClosed(given.fd)}`)
    }
    console.log(`exit ${status}`)
  })
} else {
  const { how, fd, numbers, shared } = workerData as Given
  if (how === 'leaves') _exit(7)
  if (how === 'throws') throw new Error('a mistake')
  if (how !== 'serves') writeSync(1, 'started\n')
  numbers.push(0)
  shared[0] = gettid()
  close(fd)
}

function isClosed(fd: number): boolean {
  try {
    return !fstatSync(fd)
  } catch {
    return true
  }
}
