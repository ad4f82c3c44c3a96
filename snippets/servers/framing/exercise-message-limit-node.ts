// The line server with a limit of three messages for each connection. It closes so that
// the client gets all three replies, whatever else it has sent.
// usage: node exercise-message-limit-node.ts PORT [HOST]

import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'

const MESSAGES = 3
const LINE_MAX = 65_536 // bytes, what ends the line among them
const LINGER = 2000 // milliseconds
const [NEWLINE, RETURN] = [0x0a, 0x0d]

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-message-limit-node.ts PORT [HOST]')
  process.exit(2)
}

const clients = new Set<Socket>()
const server = createServer({ allowHalfOpen: true }, async (socket) => {
  clients.add(socket)
  socket.once('close', () => clients.delete(socket))
  socket.on('error', () => {}) // the loop hears of it, as long as it runs
  try {
    await serve(socket)
    linger(socket)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined && !(error instanceof FramingError)) throw error
    console.log((error as Error).message)
    socket.destroySoon()
  }
})

// #region serve
async function serve(socket: Socket): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  let left = MESSAGES
  for await (const message of messages(socket)) {
    const room = socket.write(`${message.toString().toUpperCase()}\r\n`)
    if (!room) await once(socket, 'drain', { signal: gone.signal })
    left -= 1
    if (left === 0) break // destroys nothing: see messages
  }
  console.log(left === 0 ? `${MESSAGES} messages: that is all` : 'closed')
}
// #endregion serve

// #region linger
// Ends our direction, and drops what still comes until the client ends its own. To close
// over bytes that nobody has read resets the connection, and the reset may overtake the
// replies.
function linger(socket: Socket): void {
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER)
  socket.once('close', () => clearTimeout(timer))
}
// #endregion linger

async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  const decoder = lineDecoder(LINE_MAX)
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const chunk of chunks) yield* decoder.push(chunk)
  decoder.end()
}

interface Decoder {
  /** Takes the bytes of one read, and gives each message that is whole by now. */
  push(chunk: Buffer): Generator<Buffer>
  /** Takes the end of the stream, which may come between two messages only. */
  end(): void
}

function lineDecoder(max: number): Decoder {
  let held = Buffer.alloc(64) // the beginning of a line ...
  let used = 0 // ... as far as it has come

  function hold(bytes: Buffer): void {
    const length = used + bytes.length
    if (length >= max) throw new FramingError(`no end of line in ${max} bytes`)
    if (length > held.length) held = Buffer.concat([held], 2 * length)
    bytes.copy(held, used)
    used = length
  }

  return {
    *push(chunk) {
      let start = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start)
        hold(chunk.subarray(start, end === -1 ? chunk.length : end))
        if (end === -1) return // the rest of this line comes with another read
        const length = held[used - 1] === RETURN ? used - 1 : used
        used = 0
        start = end + 1
        yield Buffer.from(held.subarray(0, length)) // a copy: the receiver may keep it
      }
    },
    end() {
      if (used > 0) throw new FramingError(`the stream ends ${used} bytes into a message`)
    },
  }
}

server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(Number(port), host, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') {
    const { address: ip, port } = address
    console.log(`listening on ${ip.includes(':') ? `[${ip}]` : ip}:${port}`)
  }
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close()
    for (const socket of clients) socket.destroy()
  })
}
