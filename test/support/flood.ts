// A client that sends and does not read, until nobody takes what it sends: what shows whether a server holds back.

import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import type { Address } from './program.ts'
import { within } from './within.ts'

/** What a server without backpressure would take in from such a client, in bytes. */
export const FLOOD = 256 * 1024 * 1024
/** The line that it sends over and over. */
export const FLOOD_LINE = Buffer.from(`${'0123456789'.repeat(100)}\n`)

/** How long the kernel must take no byte before a sender counts as stuck, in milliseconds. */
const STUCK = 100

/** Sends lines and reads nothing, until the kernel takes no more: then the server has stopped reading. What is `sent` is on its way,
 * whole lines all of it, but what the kernel has not taken waits in this process. */
export async function flood(address: Address, line: Buffer = FLOOD_LINE): Promise<{ socket: Socket; sent: number }> {
  const socket = connect(address)
  socket.on('error', () => {}) // the test that floods says what is due
  await within(once(socket, 'connect'), 'a connection')
  const chunk = Buffer.concat(Array.from({ length: 64 }, () => line))
  for (let queued = 0; queued < FLOOD; queued += chunk.length) {
    const taken = new Promise<void>((resolve) => socket.write(chunk, () => resolve()))
    const stuck = Symbol('stuck')
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<symbol>((resolve) => (timer = setTimeout(() => resolve(stuck), STUCK)))
    const result = await Promise.race([taken, patience])
    clearTimeout(timer)
    if (result === stuck) break
  }
  return { socket, sent: socket.bytesWritten }
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
