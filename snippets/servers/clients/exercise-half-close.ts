// Sends its standard input, says that this was all, and prints what comes until the
// server ends.
// usage: node exercise-half-close.ts ADDRESS PORT

import { readSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_SNDTIMEO,
  close,
  connect,
  family,
  recv,
  send,
  setsockopt,
  shutdown,
  sockaddr,
  socket,
  timeval,
} from '#posix'

const [host = '', port = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node exercise-half-close.ts ADDRESS PORT')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  // Against a server that waits for us to read.
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(300))
  connect(fd, addr)

  // #region half-close
  const buffer = Buffer.alloc(65_536)
  for (let count; (count = readSync(0, buffer)) > 0;) {
    sendAll(fd, buffer.subarray(0, count))
  }
  shutdown(fd, SHUT_WR) // recv returns 0 at the server; we can still receive
  for (let count; (count = recv(fd, buffer, buffer.length, 0)) > 0;) {
    writeAll(buffer.subarray(0, count))
  }
  writeAll(Buffer.from('\n'))
  // #endregion half-close
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

function sendAll(fd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(fd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}

function writeAll(bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written)
}
