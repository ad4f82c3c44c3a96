// What the scenarios and the tests of this page do to a server from outside, and what they see of it there.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { untilStopped, untilWaitsIn } from '../../support/blocked.ts'
import type { Program } from '../../support/program.ts'

/**
 * From now on the server gets no further descriptor: its limit is the lowest number that is free, or a lower one. With 3 it does not
 * matter whether another thread of it gives one back meanwhile; but poll has to have as many as it watches. prlimit(1)
 */
export function takeDescriptors({ pid }: Program, lower = Infinity): void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let free = 0
  while (open.has(free) && free < lower) free += 1
  const { status, error, stderr } = spawnSync('prlimit', [`--nofile=${free}:`, '--pid', String(pid)], {
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
