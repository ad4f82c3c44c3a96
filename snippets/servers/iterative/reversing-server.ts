// An iterative server: one process, one client at a time. It answers each line with
// the line's bytes in reverse.
// usage: node reversing-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  type SystemError,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
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

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const buffer = Buffer.alloc(LINE_MAX) // one will do for one client at a time

// #region arguments
const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node reversing-server.ts PORT [HOST]')
  process.exit(2)
}
// #endregion arguments

try {
  // #region listen
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)
  // #endregion listen

  // #region loop
  const peer = sockaddr_storage()
  for (;;) {
    const connFd = acceptNext(listenFd, peer) // waits for a client ...
    log(`serving ${format(peer)}`)
    try {
      log(serve(connFd)) // ... and sees no other until this one has gone
    } catch (error) {
      // A failed call: this client's connection is broken, and nothing else is.
      if ((error as SystemError).syscall === undefined) throw error
      log((error as SystemError).message)
    } finally {
      close(connFd)
    }
  }
  // #endregion loop
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region accept
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
// #endregion accept

// #region serve
// Answers each line until the client has sent its last. recv returns pieces of
// the stream; to find the lines in it is our work.
function serve(connFd: number): string {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const received = recv(connFd, buffer.subarray(used), LINE_MAX - used, 0)
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
// #endregion serve

// #region send-all
// send may take a part of the bytes; the rest is ours to send again.
function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(connFd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}
// #endregion send-all

// #region log
// What a full pipe does not take, console.log keeps until the event loop turns, which it
// never does in a program that blocks.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
// #endregion log
