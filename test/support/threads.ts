// What the threads of a program are doing, asked of the kernel: events that no output tells. On Linux only.

import { readFileSync, readdirSync } from 'node:fs'
import { LIMIT } from './within.ts'

/** The numbers of system calls: asm/unistd_64.h, asm-generic/unistd.h */
const CALLS = process.arch === 'arm64' ? { accept: 242, futex: 98 } : { accept: 288, futex: 202 }

/** Resolves once so many threads of a process wait in a system call. proc(5), /proc/PID/task/TID/syscall */
export async function untilThreadsIn(pid: number, call: keyof typeof CALLS, count: number): Promise<void> {
  await until(`${count} threads of ${pid} in ${call}`, () => {
    const inCall = readdirSync(`/proc/${pid}/task`).filter((tid) => callOf(pid, tid) === CALLS[call])
    return inCall.length >= count
  })
}

/** Resolves once a process's main thread waits in a system call. */
export async function untilMainThreadIn(pid: number, call: keyof typeof CALLS): Promise<void> {
  await until(`the main thread of ${pid} in ${call}`, () => callOf(pid, String(pid)) === CALLS[call])
}

/** Resolves once a process has no more than so many threads. */
export async function untilThreadCount(pid: number, most: number): Promise<void> {
  await until(`no more than ${most} threads in ${pid}`, () => readdirSync(`/proc/${pid}/task`).length <= most)
}

function callOf(pid: number, tid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'latin1').split(' ')[0]) // `running`: none
  } catch {
    return undefined // it has ended
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const limit = performance.now() + LIMIT
  while (performance.now() < limit) {
    if (condition()) return
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  throw new Error(`waited ${LIMIT} ms for ${what}`)
}
