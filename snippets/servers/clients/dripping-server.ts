// A reversing server that is slow on purpose: it sends one byte of a reply at a time.
// usage: node dripping-server.ts PORT [HOST]

import { type AddressInfo, type Socket, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const DRIP = 100 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node dripping-server.ts PORT [HOST]')
  process.exit(2)
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  // A client that leaves in the middle is no concern of the others.
  socket.on('error', () => {})
  drip(socket).catch(() => socket.destroy())
})
server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(Number(port), host, () => {
  const { address, port: chosen } = server.address() as AddressInfo
  const shown = address.includes(':') ? `[${address}]` : address
  console.log(`listening on ${shown}:${chosen}`)
})

async function drip(socket: Socket): Promise<void> {
  for await (const line of createInterface({ input: socket })) {
    for (const byte of Buffer.from(line).reverse()) {
      if (socket.destroyed) return
      socket.write(Buffer.of(byte))
      await sleep(DRIP)
    }
  }
  socket.end()
}
