// An iterative server: one process, one client at a time. It answers each line with the line reversed.
// usage: node reversing-server.ts PORT [HOST]

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

const LINE_MAX = 65_536 // bytes; a line has to end somewhere, or one client takes all the memory
const NEWLINE = 0x0a

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
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // a restart need not wait for TIME_WAIT to pass
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  // #endregion listen

  // #region loop
  const peer = sockaddr_storage()
  for (;;) {
    const connFd = accept(listenFd, peer) // waits for a client ...
    console.log(`serving ${format(peer)}`)
    try {
      serve(connFd) // ... and has eyes for no other until this one has gone
      console.log('closed')
    } catch (error) {
      console.log((error as SystemError).message) // the client's connection has failed, not the server
    } finally {
      close(connFd)
    }
  }
  // #endregion loop
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region serve
/** Answers each line until the client has sent its last. A stream has no lines: recv returns pieces, we put them together. */
function serve(connFd: number): void {
  const buffer = Buffer.alloc(LINE_MAX)
  let used = 0
  for (;;) {
    const room = buffer.subarray(used)
    if (room.length === 0) throw new RangeError(`the line is longer than ${LINE_MAX} bytes`)
    const received = recv(connFd, room, room.length, 0)
    used += received
    let start = 0
    for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < used; end = buffer.indexOf(NEWLINE, start)) {
      sendAll(connFd, buffer.subarray(start, end).reverse())
      start = end + 1
    }
    if (received === 0) return sendAll(connFd, buffer.subarray(start, used).reverse()) // the last line lacks its newline
    buffer.copyWithin(0, start, used) // keep what is not yet a line
    used -= start
  }
}
// #endregion serve

// #region send-all
/** send may take a part of the bytes only; the rest is ours to send again. */
function sendAll(connFd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length; ) {
    const rest = bytes.subarray(sent)
    sent += send(connFd, rest, rest.length, 0)
  }
}
// #endregion send-all
