// What a thread prints with console.log waits for the main thread.
// usage: node console-log.ts

import { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

const done = new Int32Array(new SharedArrayBuffer(4))
const code = `
  const { workerData: done } = require('node:worker_threads')
  console.log('1: the thread, by console.log')
  require('node:fs').writeSync(1, '2: the thread, by writeSync\\n')
  Atomics.store(done, 0, 1)
  Atomics.notify(done, 0)`

new Worker(code, { eval: true, workerData: done }).on('error', (error) => console.error(error))
Atomics.wait(done, 0, 0) // blocks, as accept would
writeSync(1, '3: the main thread, which has waited for it\n')
