// What the scenarios and the tests of this page do to a server from outside, and what they see of it there.

import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import type { Program } from '../../support/program.ts'
import { LIMIT } from '../../support/within.ts'

/** From now on the server gets no further descriptor: its limit is the lowest number that is free. prlimit(1) */
export function takeDescriptors({ pid }: Program): void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let free = 0
  while (open.has(free)) free += 1
  const { status, error, stderr } = spawnSync('prlimit', [`--nofile=${free}:`, '--pid', String(pid)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`prlimit: ${error?.message ?? stderr}`)
}

/** The numbers of epoll_wait, which arm64 lacks, and epoll_pwait: asm/unistd_64.h, asm-generic/unistd.h */
const EPOLL_WAIT = process.arch === 'arm64' ? ['22'] : ['232', '281']

/** Stops the server in epoll_wait, and returns once it stands still: what arrives from now on, it sees together. */
export async function stopInEpollWait(server: Program): Promise<void> {
  const proc = (file: string): string => readFileSync(`/proc/${server.pid}/${file}`, 'latin1')
  await until(() => EPOLL_WAIT.includes(proc('syscall').split(' ')[0]!), `${server.lane} to wait in epoll_wait`)
  server.kill('SIGSTOP')
  await until(() => proc('stat').split(') ').at(-1)!.startsWith('T'), `${server.lane} to stop`) // proc(5): the state
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + LIMIT
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`waited ${LIMIT} ms for ${what}`)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
