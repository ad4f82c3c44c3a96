// The same client on Node's own sockets.
// usage: node udp-echo-client-node.ts HOST PORT [MILLISECONDS]

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'

const TRIES = 3
// Bytes: the id of the request, which the answer repeats
const HEADER = 4

const [host = '', port = '', limit = '1000'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (host === '' || !isPort || !/^[1-9]\d{0,6}$/.test(limit)) {
  console.error('usage: node udp-echo-client-node.ts HOST PORT [MILLISECONDS]')
  process.exit(2)
}

// #region answers
interface Pending {
  answered: (text: Buffer) => void
  failed: (reason: Error) => void
}
// Requests that are out, by their ids
const pending = new Map<number, Pending>()

const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
socket.on('message', (message) => {
  const request = message.length < HEADER ? undefined : pending.get(message.readUInt32BE())
  if (request === undefined) console.log('ignored: not the answer to this request')
  else request.answered(message.subarray(HEADER))
})
socket.on('error', (error) => {
  for (const { failed } of pending.values()) failed(error)
})
// #endregion answers

// #region ask
/**
 * Sends a request, up to three times, and resolves with what the answer
 * holds.
 */
async function ask(id: number, text: Buffer): Promise<Buffer> {
  const head = Buffer.alloc(HEADER)
  head.writeUInt32BE(id)
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Buffer>((answered, failed) => {
      pending.set(id, { answered, failed })
      let tries = 0
      const attempt = (): void => {
        if (tries > 0) console.log(`no answer to try ${tries} of ${TRIES}`)
        if (tries === TRIES) return failed(new Error(`no answer in ${TRIES} tries of ${limit} ms`))
        tries++
        socket.send([head, text], (error) => error !== null && failed(error))
        timer = setTimeout(attempt, Number(limit))
      }
      attempt()
    })
  } finally {
    clearTimeout(timer)
    pending.delete(id)
  }
}
// #endregion ask

try {
  socket.connect(Number(port), host)
  await once(socket, 'connect')
  let id = randomInt(2 ** 32)
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(`received: ${await ask(id, Buffer.from(line))}`)
    id = (id + 1) % 2 ** 32
  }
  socket.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
