// Messages have their length before them, in four bytes. A server that answers each with
// its text in upper case.
// usage: node length-server.ts PORT [HOST]

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

const MESSAGE_MAX = 65_536 // bytes, without the prefix

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node length-server.ts PORT [HOST]')
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

function serve(connFd: number): string {
  const decoder = lengthDecoder(MESSAGE_MAX) // of this connection, and of no other
  const chunk = Buffer.alloc(16_384)
  for (let received; (received = recv(connFd, chunk, chunk.length, 0)) > 0;) {
    for (const message of decoder.push(chunk.subarray(0, received))) {
      const reply = message.toString().toUpperCase()
      sendAll(connFd, encodeLength(Buffer.from(reply)))
    }
  }
  decoder.end()
  return 'closed'
}

// #region decoder
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
// #endregion decoder

// #region encode
function encodeLength(message: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(message.length)
  return Buffer.concat([prefix, message])
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
