// What a program is doing that no output tells, so that the kernel is asked: proc(5). On Linux only.

import { readdirSync, readlinkSync } from 'node:fs'
import { read } from './leaks.ts'
import { until } from './within.ts'

/**
 * Numbers of the system calls in which programs wait: asm/unistd_64.h, asm-generic/unistd.h. The libraries have more than one for some of
 * them, and arm64 lacks the oldest. A poll that was stopped and continued is in restart_syscall(2): 219, 128.
 */
const numbers = {
  x64: {
    accept: [288],
    connect: [42],
    epoll_wait: [232, 281],
    futex: [202],
    io_submit: [209],
    poll: [7, 219],
    recv: [45],
    select: [23, 270],
    send: [44],
  },
  arm64: {
    accept: [242],
    connect: [203],
    epoll_wait: [22],
    futex: [98],
    io_submit: [2],
    poll: [73, 128],
    recv: [207],
    select: [72],
    send: [206],
  },
}

/** A system call in which a program may be found waiting. */
export type Call = keyof typeof numbers.x64

const CALLS: Record<Call, number[]> = process.arch === 'arm64' ? numbers.arm64 : numbers.x64

/** A file of a process in /proc, or '' once the process is gone. */
function proc(pid: number, file: string): string {
  return read(`/proc/${pid}/${file}`)
}

/** The state of a process: R runs, S sleeps, T is stopped, Z is a zombie; undefined once it is gone. */
export function stateOf(pid: number): string | undefined {
  return /^State:\s+(\w)/m.exec(proc(pid, 'status'))?.[1]
}

/** Whether a thread of a process, its first one by default, is in that call. */
export function isIn(call: Call, pid: number, tid = pid): boolean {
  const [number] = proc(pid, `task/${tid}/syscall`).split(' ') // `running` while it is in none
  return number !== '' && CALLS[call].includes(Number(number))
}

/** Whether a process sleeps in that call: no signal is on its way to it, and in recv nothing has come on a TCP socket. */
function waitsIn(call: Call, pid: number): boolean {
  if (!isIn(call, pid) || stateOf(pid) === 'R' || /^S\w*Pnd:.*[1-9a-f]/m.test(proc(pid, 'status'))) return false
  return call !== 'recv' || !hasBytesInRecv(pid)
}

function hasBytesInRecv(pid: number): boolean {
  const fd = Number(proc(pid, 'syscall').split(' ')[1])
  let link: string
  try {
    link = readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return true // it has left the call meanwhile
  }
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
  const rows = proc(pid, 'net/tcp').split('\n').slice(1)
  const row = rows.map((text) => text.trim().split(/\s+/)).find((columns) => columns[9] === inode)
  return row !== undefined && !row[4]!.endsWith(':00000000') // tx_queue:rx_queue
}

/** Resolves once a process sleeps in that call. `what` names the process where that does not come. */
export async function untilWaitsIn(call: Call, pid: number, what: string): Promise<void> {
  await until(() => waitsIn(call, pid), `${what} to wait in ${call}`)
}

/** Resolves once so many threads of a process are in that call. */
export async function untilThreadsIn(call: Call, pid: number, count: number): Promise<void> {
  await until(() => threads(pid).filter((tid) => isIn(call, pid, tid)).length >= count, `${count} threads in ${call}`)
}

/** Resolves once a process has no more than so many threads. */
export async function untilThreadCount(pid: number, most: number): Promise<void> {
  await until(() => threads(pid).length <= most, `no more than ${most} threads`)
}

/** Resolves once a signal has stopped the process: what arrives from now on, it sees together. */
export async function untilStopped(pid: number, what: string): Promise<void> {
  await until(() => stateOf(pid) === 'T', `${what} to be stopped`)
}

/** Whether every thread of a process sleeps; a zombie's does. */
export function sleeps(pid: number): boolean {
  return threads(pid).every((tid) => !/^State:\s+R/m.test(proc(pid, `task/${tid}/status`)))
}

/** In which system calls the threads of a process are, by their numbers, for whoever has waited for it in vain. */
export function threadCalls(pid: number): string {
  const calls = threads(pid).map((tid) => proc(pid, `task/${tid}/syscall`).split(' ')[0]!.trim() || 'none')
  return calls.join(', ') || 'no process any more'
}

/** What a thread has had of the processors. */
export interface Share {
  /** Whether it wants to run, and runs or waits for a processor. */
  ready: boolean
  /** How long it has run, in milliseconds. */
  ran: number
  /** How long it had waited for a processor when it last got one, in milliseconds. */
  waited: number
}

/** What each thread of these processes has had of the processors, by its id. proc_pid_stat(5); schedstat: Linux's sched-stats.rst */
export function shares(pids: readonly number[]): ReadonlyMap<number, Share> {
  const all = new Map<number, Share>()
  for (const pid of pids) {
    for (const tid of threads(pid)) {
      const schedstat = proc(pid, `task/${tid}/schedstat`)
      if (schedstat === '') continue // it has ended meanwhile: what it has had is not 0
      const [ran = 0, waited = 0] = schedstat.split(' ').map((nanoseconds) => Number(nanoseconds) / 1e6)
      all.set(tid, { ready: /\) R /.test(proc(pid, `task/${tid}/stat`)), ran, waited })
    }
  }
  return all
}

function threads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return [] // it is gone
  }
}
