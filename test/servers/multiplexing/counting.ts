// posix/ for a server whose heap is watched: every so many messages it prints by how many bytes each of them has made the heap
// grow. Messages are counted by tryRecv, which the server calls once for each.

import { writeSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { tryRecv as receive } from '../../../snippets/posix/index.ts'

export * from '../../../snippets/posix/index.ts'

export const WARM_UP = 20_000
export const MESSAGES = 100_000

let received = 0
let before = 0

export function tryRecv(fd: number, buf: Uint8Array, len: number, flags: number): number {
  const counted = received - WARM_UP
  if (counted >= 0 && counted % MESSAGES === 0) {
    if (counted > 0) writeSync(2, `${(getHeapStatistics().used_heap_size - before) / MESSAGES} bytes a message\n`)
    before = getHeapStatistics().used_heap_size
  }
  received++
  return receive(fd, buf, len, flags)
}
