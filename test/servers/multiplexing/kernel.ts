// What the scenarios and the tests of this page do to a server from outside, and what they see of it there.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { untilStopped, untilWaitsIn } from '../../support/blocked.ts'
import type { Program } from '../../support/program.ts'

/** From now on the server gets no further descriptor until it gives one back: its limit is the lowest number that is free. */
export function takeDescriptors({ pid }: Program): void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let free = 0
  while (open.has(free)) free += 1
  limitDescriptors(pid, free)
}

/** From now on the server gets no further descriptor, also where another thread of it gives one back. */
export function forbidDescriptors({ pid }: Program): void {
  limitDescriptors(pid, 3) // below it are the standard streams, and what is open above it stays so
}

/** prlimit(1), RLIMIT_NOFILE: descriptors are below this number. */
function limitDescriptors(pid: number, limit: number): void {
  const { status, error, stderr } = spawnSync('prlimit', [`--nofile=${limit}:`, '--pid', String(pid)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`prlimit: ${error?.message ?? stderr}`)
}

/** Stops the server in epoll_wait, and returns once it stands still: what arrives from now on, it sees together. */
export async function stopInEpollWait(server: Program): Promise<void> {
  await untilWaitsIn('epoll_wait', server.pid, server.lane)
  server.kill('SIGSTOP')
  await untilStopped(server.pid, server.lane)
}
