// The line server on Node's own sockets: the decoder is a Transform, and pipeline joins
// it to the rest.
// usage: node decode-transform-node.ts PORT [HOST]

import { type Socket, createServer } from 'node:net'
import { Transform, pipeline } from 'node:stream'

const LINE_MAX = 65_536 // bytes, what ends the line among them
const [NEWLINE, RETURN] = [0x0a, 0x0d]
const STOP_LIMIT = 300 // milliseconds

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node decode-transform-node.ts PORT [HOST]')
  process.exit(2)
}

// #region serve
const clients = new Set<Socket>()

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const name = format(socket.remoteAddress, socket.remotePort)
  let refusal: string | undefined

  clients.add(socket)
  console.log(`serving ${name}`)

  const messages = decode(lineDecoder(LINE_MAX), (error) => (refusal = error.message))
  pipeline(socket, messages, replies(), socket, (error) => {
    const reason = refusal ?? error?.message
    console.log(reason === undefined ? `closed ${name}` : `${name} ${reason}`)
  })
  socket.once('finish', () => socket.destroy()) // all is answered
  socket.once('close', () => clients.delete(socket))
})
// #endregion serve

// #region decode
/** A stream of messages out of a stream of bytes. It ends where the framing is broken. */
function decode(decoder: Decoder, refuse: (error: FramingError) => void): Transform {
  let refused = false

  /** done(error) would be simpler. But an error overtakes the messages that wait here. */
  function attempt(action: () => void): void {
    try {
      if (!refused) action()
    } catch (error) {
      if (!(error instanceof FramingError)) throw error
      refused = true
      refuse(error)
    }
  }

  return new Transform({
    readableObjectMode: true, // messages are not to be joined again
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => {
        for (const message of decoder.push(chunk)) this.push(message)
      })
      if (refused) this.push(null)
      done()
    },
    flush(done) {
      attempt(() => decoder.end())
      done()
    },
  })
}
// #endregion decode

// #region replies
function replies(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform(message: Buffer, _encoding, done) {
      done(null, encodeLine(Buffer.from(message.toString().toUpperCase())))
    },
  })
}
// #endregion replies

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

function encodeLine(message: Buffer): Buffer {
  if (message.includes(NEWLINE)) throw new FramingError('a line holds no newline')
  return Buffer.concat([message, Buffer.of(RETURN, NEWLINE)])
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
