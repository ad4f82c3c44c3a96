// The thread of thread-server.ts: it serves one connection and ends. Until then it blocks in read
// and write, which holds up nobody else.

import { closeSync, readSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a

// #region thread
interface Given {
  connFd: number
  client: string
  closed?: Int32Array // shared with the main thread
}
const { connFd, client, closed } = workerData as Given
const buffer = Buffer.alloc(LINE_MAX) // this thread's own

try {
  log(`${serve()} ${client}`)
} catch (error) {
  // A failed call: this client's connection is broken. Anything else is a mistake of ours.
  if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
  log(`${client} ${(error as Error).message}`)
} finally {
  closeSync(connFd)
  if (closed !== undefined) Atomics.store(closed, 0, 1) // nobody else needs to
}
// #endregion thread

// Answers each line until the client has sent its last: the loop of 2.2.
function serve(): string {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const received = readSync(connFd, buffer, used, LINE_MAX - used, null)
    const bytes = buffer.subarray(0, used + received)
    if (received === 0) {
      writeAll(bytes.reverse()) // the last line may lack its newline
      return 'closed'
    }
    let start = 0
    let end = bytes.indexOf(NEWLINE, used) // only the new bytes can hold one
    while (end !== -1) {
      writeAll(bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    bytes.copyWithin(0, start) // keep the beginning of the next line
    used = bytes.length - start
  }
  return `no end of line in ${LINE_MAX} bytes:`
}

function writeAll(bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(connFd, bytes, written)
  }
}

// console.log in a thread waits until the main thread is free, and that one is in accept.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
