// Messages are lines. A server that answers each message with its text in upper case.
// usage: node line-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  type SystemError,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  TCP_NODELAY,
  accept,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
} from '#posix'

const LINE_MAX = 65_536 // bytes, what ends the line among them
const [NEWLINE, RETURN] = [0x0a, 0x0d]

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node line-server.ts PORT [HOST]')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // connections inherit it
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)

  const peer = sockaddr_storage()
  for (;;) {
    const connFd = acceptNext(listenFd, peer)
    log(`serving ${format(peer)}`)
    try {
      log(serve(connFd))
    } catch (error) {
      // A broken connection, or a broken rule: the end of this client, not of the server.
      const { syscall } = error as SystemError
      if (syscall === undefined && !(error instanceof FramingError)) throw error
      log((error as Error).message)
    } finally {
      close(connFd)
    }
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region serve
function serve(connFd: number): string {
  const decoder = lineDecoder(LINE_MAX) // of this connection, and of no other
  const chunk = Buffer.alloc(16_384)
  for (let received; (received = recv(connFd, chunk, chunk.length, 0)) > 0;) {
    for (const message of decoder.push(chunk.subarray(0, received))) {
      const reply = message.toString().toUpperCase()
      sendAll(connFd, encodeLine(Buffer.from(reply)))
    }
  }
  decoder.end()
  return 'closed'
}
// #endregion serve

// #region decoder
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
// #endregion decoder

// #region encode
function encodeLine(message: Buffer): Buffer {
  if (message.includes(NEWLINE)) throw new FramingError('a line holds no newline')
  return Buffer.concat([message, Buffer.of(RETURN, NEWLINE)])
}
// #endregion encode

// send may take a part of the bytes; the rest is ours to send again.
function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

// A client may be gone before we take it; then the next one is due. accept(2)
function acceptNext(listenFd: number, peer: Buffer): number {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept(listenFd, peer)
    } catch (error) {
      if (!gone.includes((error as SystemError).code)) throw error
    }
  }
}

/** Not console.log, which needs the event loop to turn: see 2.2. */
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
