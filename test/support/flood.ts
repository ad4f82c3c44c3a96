// A client that sends and does not read, until nobody takes what it sends: what shows whether a server holds back.

import { once } from 'node:events'
import { Socket, connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import {
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TCP_MAXSEG,
  connect as connectSocket,
  family,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'
import { sleeps } from './blocked.ts'
import { descendants, unread } from './leaks.ts'
import type { Address, Program } from './program.ts'
import { until, within } from './within.ts'

/** What a server without backpressure would take in from such a client, in bytes. */
export const FLOOD = 256 * 1024 * 1024
/** The line that it sends over and over. */
export const FLOOD_LINE = Buffer.from(`${'0123456789'.repeat(100)}\n`)

/** When to ask the kernel what a server does that has not read for so long, in milliseconds. */
const PACE = 20

/**
 * A client for whom the kernels hold as little as they may: it has a small receive buffer, and takes small segments, so that the server's
 * kernel keeps a small send buffer as well. It reads nothing until its socket is resumed.
 */
export function reluctantClient({ host, port }: Address): Socket {
  const addr = sockaddr(host, port)
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 4096)
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, 536)
  connectSocket(fd, addr)
  const options = { fd, allowHalfOpen: true, pauseOnCreate: true } // the last is what pauseOnConnect of a server stands on
  return new Socket(options).pause()
}

/** Sends bytes and reads nothing, until the server has done with them what it can: it has read them all and sleeps, or holds back. */
export async function sendUnread(server: Program, socket: Socket, bytes: Buffer): Promise<void> {
  const { pid, address, lane } = server
  const here = { host: socket.localAddress!, port: socket.localPort! }
  const isCalm = (): boolean => unread(address, here) === 0 && [pid, ...descendants(pid)].every(sleeps)
  if (await isTaken(server, socket, bytes))
    await until(() => isCalm() || holdsBack(pid, address, here), `${lane} to read, or to hold back`)
}

/** Sends lines and reads nothing, until the server has stopped reading. What is `sent` is on its way, whole lines all of it, but what the
 * kernel has not taken waits in this process. */
export async function flood(server: Program, line: Buffer = FLOOD_LINE): Promise<{ socket: Socket; sent: number }> {
  const socket = connect(server.address)
  socket.on('error', () => {}) // the test that floods says what is due
  await within(once(socket, 'connect'), 'a connection')
  const chunk = Buffer.concat(Array.from({ length: 64 }, () => line))
  for (let queued = 0; queued < FLOOD && (await isTaken(server, socket, chunk)); queued += chunk.length);
  return { socket, sent: socket.bytesWritten }
}

/** Sends bytes, and tells whether the kernel takes them all, before the server holds back. */
async function isTaken({ pid, address, lane }: Program, socket: Socket, bytes: Buffer): Promise<boolean> {
  const here = { host: socket.localAddress!, port: socket.localPort! }
  let taken = false
  const write = new Promise<void>((resolve) => socket.write(bytes, () => resolve())).then(() => (taken = true))
  // Most are taken at once, and to ask what a server does takes longer.
  await Promise.race([write, setTimeout(PACE)])
  if (!taken) await until(() => taken || holdsBack(pid, address, here), `${lane} to read, or to hold back`)
  return taken
}

/** Whether bytes wait for a server that sleeps all the same, with every thread of every process that it has. */
function holdsBack(pid: number, server: Address, client: Address): boolean {
  const waiting = unread(server, client)
  return waiting > 0 && [pid, ...descendants(pid)].every(sleeps) && unread(server, client) === waiting
}

/** Starts to read, and reads so many bytes. */
export async function read(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let received = 0
  const all = new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error(`closed after ${received} of ${length} bytes`)))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
      if (received >= length) resolve()
    })
  })
  await within(all, `${length} bytes`)
  return Buffer.concat(chunks)
}

export async function reset(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  if (socket.closed) return
  socket.resetAndDestroy()
  await within(closed, 'a reset')
}
