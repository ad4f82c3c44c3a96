// Receives files from exercise-send-file.ts, each in blocks of
// 1,000 bytes, and prints what it has.
// usage: node exercise-receive-file.ts PORT [HOST]

import { type Hash, createHash } from 'node:crypto'
import { type RemoteInfo, createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-receive-file.ts PORT [HOST]')
  process.exit(2)
}

// Bytes: the id of the transfer in 4, the number of the block in 4
const HEADER = 8
const BLOCK = 1000
const TRANSFERS = 100

// #region receive
interface Transfer {
  due: number // the number of the next block
  size: number
  hash: Hash
  whole: boolean
}
// By their senders and ids; the hundred that were heard of last
const transfers = new Map<string, Transfer>()

function take(message: Buffer, { address, port }: RemoteInfo): void {
  if (message.length < HEADER || message.length > HEADER + BLOCK || port === 0) return
  const number = message.readUInt32BE(4)
  const key = `${address} ${port} ${message.readUInt32BE(0)}`
  let transfer = transfers.get(key)
  if (transfer === undefined && number === 0) {
    transfer = { due: 0, size: 0, hash: createHash('sha256'), whole: false }
  }
  if (transfer === undefined || number > transfer.due) return
  transfers.delete(key)
  transfers.set(key, transfer) // at the end: the first one has been silent longest
  const [oldest] = transfers.keys()
  if (transfers.size > TRANSFERS) transfers.delete(oldest!)

  if (number === transfer.due && !transfer.whole) add(transfer, message.subarray(HEADER))
  // A block that we have had is acknowledged again: the
  // acknowledgement may have been lost.
  socket.send(message.subarray(0, HEADER), port, address, (error) => {
    if (error !== null) console.log(error.message)
  })
}

function add(transfer: Transfer, block: Buffer): void {
  transfer.due++
  transfer.size += block.length
  transfer.hash.update(block)
  if (block.length === BLOCK) return
  // The last block is shorter than the others, and may be empty
  transfer.whole = true
  console.log(`received ${transfer.size} bytes, SHA-256 ${short(transfer.hash)}`)
}
// #endregion receive

const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
socket.on('message', take)
socket.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
socket.on('listening', () => {
  const { address, port } = socket.address()
  console.log(`listening on ${address.includes(':') ? `[${address}]` : address}:${port}`)
})
socket.bind(Number(port), host)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => socket.close())

function short(hash: Hash): string {
  return hash.digest('hex').slice(0, 16)
}
