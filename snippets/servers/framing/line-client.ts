// Sends messages as lines, all in one go, and prints the reply to each.
// usage: node line-client.ts ADDRESS PORT MESSAGE ...

import { isIP } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  close,
  connect,
  family,
  recv,
  send,
  sockaddr,
  socket,
} from '#posix'

const REPLY_MAX = 3 * 65_536 // bytes: upper case can be three times as long
const [NEWLINE, RETURN] = [0x0a, 0x0d]

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [host = '', port = '', ...messages] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node line-client.ts ADDRESS PORT MESSAGE ...')
  process.exit(2)
}

try {
  const request = messages.map((message) => encodeLine(Buffer.from(message)))
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  connect(fd, addr)
  // #region talk
  sendAll(fd, Buffer.concat(request))
  const replies = receive(fd)
  for (const message of messages) {
    const { value: reply } = replies.next()
    if (reply === undefined) throw new Error('closed by the server')
    console.log(`${JSON.stringify(message)} -> ${JSON.stringify(reply.toString())}`)
  }
  // #endregion talk
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region receive
/** The replies, one by one. What was read of the next ones stays with the decoder. */
function* receive(fd: number): Generator<Buffer, undefined> {
  const decoder = lineDecoder(REPLY_MAX)
  const chunk = Buffer.alloc(16_384)
  for (let received; (received = recv(fd, chunk, chunk.length, 0)) > 0;) {
    yield* decoder.push(chunk.subarray(0, received))
  }
  decoder.end()
}
// #endregion receive

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

/** send may take a part of the bytes; the rest is ours to send again. */
function sendAll(fd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(fd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}
