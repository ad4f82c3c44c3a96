// Sends its standard input to exercise-receive-file.ts: a block,
// its acknowledgement, the next block.
// usage: node exercise-send-file.ts HOST PORT

import { createHash, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { buffer } from 'node:stream/consumers'

const TRIES = 50
const LIMIT = 50 // milliseconds
// Bytes: the id of the transfer in 4, the number of the block in 4
const HEADER = 8
const BLOCK = 1000

const [host = '', port = ''] = process.argv.slice(2)
if (host === '' || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
  console.error('usage: node exercise-send-file.ts HOST PORT')
  process.exit(2)
}

const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')

// #region send
/** Sends a block until it is acknowledged. */
function sendBlock(block: Buffer): Promise<void> {
  let tries = 0
  let timer: NodeJS.Timeout | undefined
  return new Promise<void>((resolve, reject) => {
    const attempt = (): void => {
      if (tries === TRIES) return reject(new Error(`not acknowledged in ${TRIES} tries`))
      tries++
      socket.send(block, (error) => error !== null && reject(error))
      timer = setTimeout(attempt, LIMIT)
    }
    const header = block.subarray(0, HEADER)
    // An acknowledgement of another block is an old one, and no
    // reason to send anything: see below.
    socket.on('message', (message) => message.equals(header) && resolve())
    socket.once('error', reject)
    attempt()
  }).finally(() => {
    clearTimeout(timer)
    socket.removeAllListeners('message')
    socket.removeAllListeners('error')
  })
}
// #endregion send

// #region talk
try {
  const data = await buffer(process.stdin)
  socket.connect(Number(port), host)
  await once(socket, 'connect')
  const id = randomInt(2 ** 32)
  // The last is shorter, empty if need be
  const blocks = Math.floor(data.length / BLOCK) + 1
  for (let number = 0; number < blocks; number++) {
    const header = Buffer.alloc(HEADER)
    header.writeUInt32BE(id, 0)
    header.writeUInt32BE(number, 4)
    const start = number * BLOCK
    await sendBlock(Buffer.concat([header, data.subarray(start, start + BLOCK)]))
  }
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 16)
  console.log(`sent ${data.length} bytes, SHA-256 ${hash}`)
  socket.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
// #endregion talk
