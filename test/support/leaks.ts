// What a run may leave behind: nothing. Read from /proc, so on Linux only; elsewhere the lists are empty.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import type { Address } from './program.ts'

const diag = process.platform === 'linux' ? await import('./sock-diag.ts') : undefined

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A file of /proc, or '' once the process is gone, or where it is not ours. In UTF-8: for others Node takes 64 kB for each file. */
export function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * The processes whose environment holds `NAME=value`: a program's own, and all that it started.
 * @param first the first of them. The kernel counts upwards, so that the older ones need not be asked, unless it has begun anew
 */
export function processesWith(variable: string, first = 0): number[] {
  const latest = Number(read('/proc/loadavg').split(' ')[4])
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && (Number(name) >= first || latest < first))
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(variable))
    .filter((pid) => !/^State:\s+Z/m.test(read(`/proc/${pid}/status`)))
    .map(Number)
}

/** The sockets that listen at an address, by their inodes: a port may be given to somebody else as soon as it is free. */
export function listenersAt(address: Address): number[] {
  return diag?.listenersAt(address) ?? []
}

/** How many bytes that came for `local` from `remote` wait to be read; 0 where there is no such connection, or no way to know. */
export function unread(local: Address, remote: Address): number {
  return diag?.receiveQueue(local, remote) ?? 0
}

/** The open descriptors of a process that are sockets. */
export function socketsOf(pid: number | 'self'): string[] {
  return list(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return target.startsWith('socket:') ? [target] : []
    } catch {
      return []
    }
  })
}

/** How many descriptors a process has open. */
export function descriptorCount(pid: number): number {
  return list(`/proc/${pid}/fd`).length
}

/** The resident memory of a process in bytes. proc(5), VmRSS */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** How many threads a process has; a zombie has one. */
export function threadCount(pid: number): number {
  return list(`/proc/${pid}/task`).length
}

/** Whether no thread of a process has a child. Where the kernel does not list them, it is not known. proc_tid_children(5) */
function isChildless(pid: number): boolean {
  try {
    return list(`/proc/${pid}/task`).every((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8') === '')
  } catch {
    return false
  }
}

/** The processes that a process has started, and those that they have started, zombies too. proc(5), /proc/PID/stat */
export function descendants(pid: number): number[] {
  if (isChildless(pid)) return [] // most are, and to ask every process of the machine takes a hundred times as long
  const children = new Map<number, number[]>()
  for (const child of list('/proc').filter((name) => /^\d+$/.test(name))) {
    // The name in parentheses may hold anything; the state and the parent's id come after the last of them.
    const parent = Number(read(`/proc/${child}/stat`).split(')').at(-1)!.trim().split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(child)])
  }
  const found = [...(children.get(pid) ?? [])]
  for (const one of found) found.push(...(children.get(one) ?? [])) // grows while it is walked
  return found
}
