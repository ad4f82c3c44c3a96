// A client of the reversing server: sends lines from its standard input, prints what is
// answered.
// usage: node reversing-client.ts ADDRESS PORT

import { readSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  TCP_NODELAY,
  close,
  connect,
  family,
  format,
  recv,
  send,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const NEWLINE = 0x0a

// #region arguments
const [host = '', port = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node reversing-client.ts ADDRESS PORT (an address, not a name)')
  process.exit(2)
}
// #endregion arguments

try {
  // #region connect
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  log('socket ok')
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1) // each line leaves at once
  connect(fd, addr) // waits until the other host's kernel has answered
  log(`connected to ${format(addr)}`)
  // #endregion connect

  // #region talk
  for (const line of lines()) {
    sendAll(fd, line)
    if (line.length === 1) continue // an empty line has no reply
    const reply = receive(fd, line.length - 1) // as long as the line without its newline
    log(Buffer.concat([Buffer.from('received: '), reply]))
  }
  close(fd)
  // #endregion talk
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region send-all
/** send may take a part of the bytes; the rest is ours to send again. */
function sendAll(fd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(fd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}
// #endregion send-all

// #region receive
/** Receives so many bytes, in however many pieces they come. */
function receive(fd: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let received = 0; received < length;) {
    const count = recv(fd, bytes.subarray(received), length - received, 0)
    if (count === 0) {
      throw new Error(`closed by the server after ${received} of ${length} bytes`)
    }
    received += count
  }
  return bytes
}
// #endregion receive

// #region lines
/** The lines of standard input, each with its newline; the last one is given one. */
function* lines(): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536)
  let pieces: Buffer[] = [] // of a line that is not whole yet
  for (let count; (count = readSync(0, chunk)) > 0;) {
    const bytes = chunk.subarray(0, count)
    let start = 0
    for (let end; (end = bytes.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end + 1)])
      pieces = []
    }
    if (start < count) pieces.push(Buffer.from(bytes.subarray(start)))
  }
  if (pieces.length > 0) yield Buffer.concat([...pieces, Buffer.of(NEWLINE)])
}
// #endregion lines

/** Not console.log, which needs the event loop to turn: see 2.2. */
function log(line: string | Buffer): void {
  writeSync(1, Buffer.concat([Buffer.from(line), Buffer.of(NEWLINE)]))
}
