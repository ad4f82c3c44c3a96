// The length server on Node's own sockets: the decoder is an async generator, and each
// client is served by a loop.
// usage: node decode-iterator-node.ts PORT [HOST]

import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'

const MESSAGE_MAX = 65_536 // bytes, without the prefix
const STOP_LIMIT = 300 // milliseconds

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node decode-iterator-node.ts PORT [HOST]')
  process.exit(2)
}

const clients = new Set<Socket>()
const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const name = format(socket.remoteAddress, socket.remotePort)
  clients.add(socket)
  socket.once('close', () => clients.delete(socket))
  socket.on('error', () => {}) // the loop hears of it, as long as it runs
  console.log(`serving ${name}`)
  try {
    await serve(socket)
    console.log(`closed ${name}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined && !(error instanceof FramingError)) throw error
    console.log(`${name} ${(error as Error).message}`)
  } finally {
    socket.destroySoon() // once all that was written is on its way
  }
})

// #region serve
async function serve(socket: Socket): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  for await (const message of messages(socket)) {
    const reply = encodeLength(Buffer.from(message.toString().toUpperCase()))
    const room = socket.write(reply)
    if (!room) await once(socket, 'drain', { signal: gone.signal })
  }
}
// #endregion serve

// #region messages
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  const decoder = lengthDecoder(MESSAGE_MAX)
  // The loop must not destroy the socket: there are replies to send.
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const chunk of chunks) yield* decoder.push(chunk)
  decoder.end()
}
// #endregion messages

interface Decoder {
  /** Takes the bytes of one read, and gives each message that is whole by now. */
  push(chunk: Buffer): Generator<Buffer>
  /** Takes the end of the stream, which may come between two messages only. */
  end(): void
}

function lengthDecoder(max: number): Decoder {
  const prefix = Buffer.alloc(4)
  let target = prefix // what is being filled: the prefix, then the message
  let filled = 0

  return {
    *push(chunk) {
      let start = 0
      for (;;) {
        const copied = chunk.copy(target, filled, start)
        start += copied
        filled += copied
        if (filled < target.length) return // the rest of it comes with another read
        filled = 0
        if (target === prefix) {
          const length = prefix.readUInt32BE()
          if (length > max) throw new FramingError(`${length} bytes, the limit is ${max}`)
          target = Buffer.alloc(length)
        } else {
          const message = target
          target = prefix
          yield message
        }
      }
    },
    end() {
      const begun = target === prefix ? filled : prefix.length + filled
      if (begun > 0) throw new FramingError(`the stream ends ${begun} bytes into a message`)
    },
  }
}

function encodeLength(message: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(message.length)
  return Buffer.concat([prefix, message])
}

server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(Number(port), host, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') {
    console.log(`listening on ${format(address.address, address.port)}`)
  }
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)

function stop(): void {
  server.close()
  for (const socket of clients) socket.pause().destroySoon()
  // A client that does not read would keep us for ever.
  setTimeout(() => {
    for (const socket of clients) socket.destroy()
  }, STOP_LIMIT).unref()
}

function format(address?: string, port?: number): string {
  if (address === undefined) return 'a client that has left already'
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
