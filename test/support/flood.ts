// A client that sends and does not read, until nobody takes what it sends: what shows whether a server holds back.

import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
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

/** Sends lines and reads nothing, until the server has stopped reading. What is `sent` is on its way, whole lines all of it, but what the
 * kernel has not taken waits in this process. */
export async function flood(server: Program, line: Buffer = FLOOD_LINE): Promise<{ socket: Socket; sent: number }> {
  const { address, pid, lane } = server
  const socket = connect(address)
  socket.on('error', () => {}) // the test that floods says what is due
  await within(once(socket, 'connect'), 'a connection')
  const here = { host: socket.localAddress!, port: socket.localPort! }
  const chunk = Buffer.concat(Array.from({ length: 64 }, () => line))
  for (let queued = 0; queued < FLOOD; queued += chunk.length) {
    let taken = false
    const write = new Promise<void>((resolve) => socket.write(chunk, () => resolve())).then(() => (taken = true))
    // Most are taken at once, and to ask what a server does takes longer.
    await Promise.race([write, setTimeout(PACE)])
    if (taken) continue
    await until(() => taken || holdsBack(pid, address, here), `${lane} to read, or to hold back`)
    if (!taken) break
  }
  return { socket, sent: socket.bytesWritten }
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
