// The iterative server that waits so long for a client and no longer.
// usage: node exercise-idle-timeout.ts PORT [HOST [MILLISECONDS]]

import { writeSync } from 'node:fs'
import {
  type SystemError,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDTIMEO,
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
  timeval,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const buffer = Buffer.alloc(LINE_MAX)

const [port = '', host = '127.0.0.1', limit = '10000'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,6}$/.test(limit)) {
  console.error('usage: node exercise-idle-timeout.ts PORT [HOST [MILLISECONDS]]')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)

  const peer = sockaddr_storage()
  for (;;) {
    const connFd = acceptNext(listenFd, peer)
    log(`serving ${format(peer)}`)
    try {
      // #region limit
      // After so long recv and send fail with EAGAIN. socket(7)
      setsockopt(connFd, SOL_SOCKET, SO_RCVTIMEO, timeval(Number(limit)))
      setsockopt(connFd, SOL_SOCKET, SO_SNDTIMEO, timeval(Number(limit)))
      // #endregion limit
      log(serve(connFd))
    } catch (error) {
      // A failed call: this client's connection is broken, and nothing else is.
      if ((error as SystemError).syscall === undefined) throw error
      log((error as SystemError).message)
    } finally {
      close(connFd)
    }
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// A client may be gone before we take it; then the next one is due. accept(2)
function acceptNext(listenFd: number, peer: Buffer): number {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept(listenFd, peer)
    } catch (error) {
      // EMFILE, ENOMEM and the like: the next accept would fail as well.
      if (!gone.includes((error as SystemError).code)) throw error
    }
  }
}

// Answers each line until the client has sent its last. recv returns pieces of
// the stream; to find the lines in it is our work.
function serve(connFd: number): string {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const room = buffer.subarray(used)
    const received = uninterrupted(() => recv(connFd, room, room.length, 0))
    const bytes = buffer.subarray(0, used + received)
    if (received === 0) {
      sendAll(connFd, bytes.reverse()) // the last line may lack its newline
      return 'closed'
    }
    let start = 0
    let end = bytes.indexOf(NEWLINE, used) // only the new bytes can hold one
    while (end !== -1) {
      sendAll(connFd, bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    bytes.copyWithin(0, start) // keep the beginning of the next line
    used = bytes.length - start
  }
  return `no end of line in ${LINE_MAX} bytes`
}

// send may take a part of the bytes; the rest is ours to send again.
function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    const rest = bytes.subarray(sent)
    sent += uninterrupted(() => send(connFd, rest, rest.length, 0))
  }
}

// #region uninterrupted
// A call with a time limit fails with EINTR when the process is stopped and continued.
// signal(7)
function uninterrupted(call: () => number): number {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if ((error as SystemError).code !== 'EINTR') throw error
    }
  }
}
// #endregion uninterrupted

// What a full pipe does not take, console.log keeps until the event loop turns, which it
// never does in a program that blocks.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
