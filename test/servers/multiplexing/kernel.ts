// What the scenarios and the tests of this page do to a server from outside, and what they see of it there.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { untilStopped, untilWaitsIn } from '../../support/blocked.ts'
import type { Program } from '../../support/program.ts'
import { until } from '../../support/within.ts'

/**
 * From now on the server gets no further descriptor until it gives one back: its limit is the lowest number that is free. Another
 * thread of it may have a file open, such as one of a loader's cache, and would give that back: it is waited for, while none opens.
 */
export async function takeDescriptors(server: Program): Promise<void> {
  forbidDescriptors(server)
  await until(() => !opened(server).some(isFile), `${server.lane} to have closed its files`)
  const used = new Set(opened(server).map((path) => Number(basename(path))))
  let free = 0
  while (used.has(free)) free += 1
  limitDescriptors(server.pid, free)
}

/** From now on the server gets no further descriptor, also where another thread of it gives one back. */
export function forbidDescriptors({ pid }: Program): void {
  limitDescriptors(pid, 3) // below it are the standard streams, and what is open above it stays so
}

/** Descriptors may be had again, as if another program had given some back. */
export function allowDescriptors({ pid }: Program): void {
  limitDescriptors(pid, 1024)
}

/** The descriptors of a server, as paths in /proc. */
function opened({ pid }: Program): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
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
