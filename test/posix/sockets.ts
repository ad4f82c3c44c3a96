// What the tests of posix/ share: sockets that are closed after each test, and programs run to their end.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  poll,
  pollfds,
  setsockopt,
  sockaddr,
  sockaddr_un,
  socket,
  timeval,
} from '#posix'
import { socketsOf } from '../support/leaks.ts'
import { root } from '../support/recordings.ts'
import { type Outcome, runToEnd } from '../support/spawn.ts'
import { LIMIT } from '../support/within.ts'

const open = new Set<number>()

/** Closes what a test opened, and fails the test if a socket is left all the same. */
export function closeAfterEach(): void {
  let before: string[] = []
  beforeEach(() => {
    before = socketsOf('self')
  })
  afterEach(() => {
    for (const fd of open) close(fd)
    open.clear()
    expect(socketsOf('self').filter((name) => !before.includes(name))).toEqual([])
  })
}

/** Marks a socket for closing after the test. Where a test would wait for ever, it fails with EAGAIN. */
export function opened(fd: number): number {
  open.add(fd)
  for (const name of [SO_RCVTIMEO, SO_SNDTIMEO]) setsockopt(fd, SOL_SOCKET, name, timeval(LIMIT))
  return fd
}

/** Closes a descriptor within the test. */
export function closed(fd: number): number {
  open.delete(fd)
  close(fd)
  return fd
}

export const stream = (flags = 0): number => opened(socket(AF_INET, SOCK_STREAM | flags, 0))
export const datagram = (flags = 0): number => opened(socket(AF_INET, SOCK_DGRAM | flags, 0))

/** A number that is not an open descriptor. */
export const NOT_OPEN = -1

/** The address of a socket, as long as its family has it. */
export function own(fd: number): Buffer {
  return getsockname(fd, sockaddr('127.0.0.1', 0))
}

/** A socket bound to a free port of 127.0.0.1. */
export function bound(fd: number): number {
  bind(fd, sockaddr('127.0.0.1', 0))
  return fd
}

/** A listening socket on a free port of 127.0.0.1. */
export function listening(backlog = 8, flags = 0): number {
  const fd = bound(stream(flags))
  listen(fd, backlog)
  return fd
}

/** A TCP connection: the client's end, and the one that accept returned. */
export function connected(): { clientFd: number; connFd: number } {
  const listenFd = listening()
  const clientFd = stream()
  connect(clientFd, own(listenFd))
  const connFd = opened(accept(listenFd))
  closed(listenFd)
  return { clientFd, connFd }
}

/**
 * Waits until the descriptor has one of the events. What a peer on loopback sent, or the kernel on its behalf, may
 * arrive a moment after the call.
 */
export function until(fd: number, events: number): number {
  const places = pollfds(1)
  places.set(0, fd, events)
  expect(poll(places, 1, LIMIT)).toBe(1)
  return places.revents(0)
}

let names = 0

/** An abstract unix address that nobody else has. unix(7) */
export function abstract(): Buffer {
  names += 1
  return sockaddr_un(`\0live-sockets-${process.pid}-${names}`)
}

/** A connection of unix stream sockets. */
export function unixConnected(): { clientFd: number; connFd: number } {
  const addr = abstract()
  const listenFd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
  bind(listenFd, addr)
  listen(listenFd, 1)
  const clientFd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
  connect(clientFd, addr)
  const connFd = opened(accept(listenFd))
  closed(listenFd)
  return { clientFd, connFd }
}

/** Whether ::1 can be bound here. */
export function hasIPv6(): boolean {
  try {
    const fd = socket(AF_INET6, SOCK_STREAM, 0)
    try {
      bind(fd, sockaddr('::1', 0))
      return true
    } finally {
      close(fd)
    }
  } catch {
    return false
  }
}

/** The error of a call that has to fail. */
export function failure(act: () => unknown): SystemError {
  let result: unknown
  try {
    result = act()
  } catch (error) {
    return error as SystemError
  }
  throw new Error(`the call returned ${String(result)} where an error was due`)
}

/** The code of that error. */
export function code(act: () => unknown): string {
  const error = failure(act)
  return error.code ?? error.message
}

/** How many descriptors this process has open. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** Runs a command in the root of the project to its end. */
export function run(command: string, ...args: string[]): Promise<Outcome> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST|VITE_)/.test(name))
  return runToEnd(command, args, { cwd: root, env: Object.fromEntries(kept) })
}

/** The path of a program of these tests. */
export function program(name: string): string {
  return join(import.meta.dirname, 'programs', name)
}

/** Runs a command whose standard output is JSON, and which has to succeed. */
export async function results<T>(command: string, ...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await run(command, ...args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as T
}
