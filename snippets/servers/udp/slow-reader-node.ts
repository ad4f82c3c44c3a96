// The same with node:dgram: while the event loop does not turn,
// nobody reads.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

const COUNT = 10
const datagram = Buffer.alloc(10_000)

// #region loss
const reader = createSocket({ type: 'udp4', recvBufferSize: 4096 })
let received = 0
reader.on('message', () => received++)
reader.bind(0, '127.0.0.1')
await once(reader, 'listening')
const { port, address } = reader.address()

const writer = createSocket('udp4')
const errors: Error[] = []
for (let i = 0; i < COUNT; i++) {
  writer.send(datagram, port, address, (error) => error !== null && errors.push(error))
}

// From here on the loop turns.
while (received + drops(port) < COUNT) await turn()
console.log(`sent ${COUNT}, received ${received}, dropped ${drops(port)}, errors ${errors.length}`)
// #endregion loss

writer.close()
reader.close()

// #region drops
/**
 * How many datagrams the kernel has dropped for the socket on that
 * port: the last column.
 */
function drops(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/udp', 'latin1').split('\n').slice(1)
  const row = rows.map((text) => text.trim().split(/\s+/)).find((row) => row[1]?.endsWith(local))
  return Number(row?.at(-1))
}
// #endregion drops
