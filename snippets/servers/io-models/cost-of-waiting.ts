// What it costs to wait for data that do not come, by the ways of this page.
// usage: node cost-of-waiting.ts

import { setTimeout } from 'node:timers/promises'
import {
  AF_UNIX,
  FD_SET,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  fd_set,
  select,
  setNonBlocking,
  setsockopt,
  socketpair,
  timeval,
  tryRecv,
} from '#posix'

const WAIT = 200 // ms
const buffer = Buffer.alloc(64)
const [fd] = socketpair(AF_UNIX, SOCK_STREAM, 0) // nobody ever sends on the other one

tryRecv(fd, buffer, 64, MSG_DONTWAIT) // what a first call costs is not asked here
await setTimeout(50) // nor what Node still does when it has just started

await measure('blocking recv', () => {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(WAIT))
  tryRecv(fd, buffer, 64, 0)
  return 1
})
setNonBlocking(fd)
await measure('select', () => {
  const readfds = fd_set()
  FD_SET(fd, readfds)
  select(fd + 1, readfds, null, null, timeval(WAIT))
  tryRecv(fd, buffer, 64, 0)
  return 2
})
await measure('asking every 10 ms', async () => {
  let calls = 0
  for (const end = performance.now() + WAIT; performance.now() < end; calls++) {
    tryRecv(fd, buffer, 64, 0)
    await setTimeout(10)
  }
  return calls
})
await measure('asking at once again', () => {
  let calls = 0
  for (const end = performance.now() + WAIT; performance.now() < end; calls++) {
    tryRecv(fd, buffer, 64, 0)
  }
  return calls
})

// #region measure
// cpuUsage counts the time that the threads of this process were on a processor.
async function measure(way: string, wait: () => number | Promise<number>): Promise<void> {
  const before = process.cpuUsage()
  const start = performance.now()
  const calls = await wait()
  const waited = performance.now() - start
  const { user, system } = process.cpuUsage(before) // in microseconds
  const busy = (user + system) / 1000
  console.log(`${way}: ${calls} calls, waited ${waited.toFixed(1)} ms, busy ${busy.toFixed(1)} ms`)
}
// #endregion measure
