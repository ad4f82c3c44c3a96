// Whether a program is blocked in a system call: an event that no output tells, so that the kernel is asked. On Linux only.

import { readFileSync, readlinkSync } from 'node:fs'
import { LIMIT } from './within.ts'

/** The number of recvfrom, which is also what recv is: asm/unistd_64.h, asm-generic/unistd.h */
const RECVFROM = process.arch === 'arm64' ? 207 : 45

/** Resolves once the process is in recv and nothing has come for it on that socket. proc(5), /proc/PID/syscall */
export async function untilInRecv(pid: number, what: string): Promise<void> {
  const limit = performance.now() + LIMIT
  while (performance.now() < limit) {
    if (isInRecv(pid)) return
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  throw new Error(`waited ${LIMIT} ms for ${what} to wait in recv`)
}

function isInRecv(pid: number): boolean {
  const [call, fd] = readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ') // `running` while it is in none
  if (Number(call) !== RECVFROM) return false
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${Number(fd)}`))?.[1]
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'latin1').split('\n').slice(1)
  const row = rows.map((text) => text.trim().split(/\s+/)).find((columns) => columns[9] === inode)
  return row?.[4]?.endsWith(':00000000') === true // tx_queue:rx_queue
}
