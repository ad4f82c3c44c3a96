// A client of the echo server: sends each line of its standard
// input in a datagram, and prints what comes back. A request that
// is not answered in time is sent again.
// usage: node udp-echo-client.ts ADDRESS PORT [MILLISECONDS]

import { randomInt } from 'node:crypto'
import { readSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  EAGAIN,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  close,
  connect,
  family,
  poll,
  pollfds,
  send,
  sockaddr,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const TRIES = 3
// Bytes: the id of the request, which the answer repeats
const HEADER = 4
const NEWLINE = 0x0a
const buffer = Buffer.alloc(65_536) // no datagram is longer
const places = pollfds(1)

const [host = '', port = '', limit = '1000'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0 || !/^[1-9]\d{0,6}$/.test(limit)) {
  console.error('usage: node udp-echo-client.ts ADDRESS PORT [MILLISECONDS]')
  process.exit(2)
}

try {
  // #region connect
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_DGRAM | SOCK_CLOEXEC, 0)
  // Sends nothing. From now on the kernel lets in what comes from
  // this server, and nothing else.
  connect(fd, addr)
  // #endregion connect

  // #region talk
  // Hard to guess for others who would like to answer.
  let id = randomInt(2 ** 32)
  for (const line of lines()) {
    log(`received: ${ask(fd, id, line)}`)
    id = (id + 1) % 2 ** 32
  }
  close(fd)
  // #endregion talk
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region ask
/**
 * Sends a request, up to three times, and returns what the answer
 * holds.
 */
function ask(fd: number, id: number, text: Buffer): Buffer {
  const request = Buffer.alloc(HEADER + text.length)
  request.writeUInt32BE(id)
  request.set(text, HEADER)
  for (let tries = 1; tries <= TRIES; tries++) {
    send(fd, request, request.length, 0)
    const answer = answerTo(id, fd, performance.now() + Number(limit))
    if (answer !== undefined) return answer
    log(`no answer to try ${tries} of ${TRIES}`)
  }
  throw new Error(`no answer in ${TRIES} tries of ${limit} ms`)
}
// #endregion ask

// #region answer
/**
 * Waits for the answer to that request, and for nothing else, until the
 * deadline.
 */
function answerTo(id: number, fd: number, deadline: number): Buffer | undefined {
  places.set(0, fd, POLLIN)
  for (;;) {
    const left = Math.ceil(deadline - performance.now())
    if (left <= 0) return undefined
    poll(places, 1, left)
    const length = tryRecv(fd, buffer, buffer.length, MSG_DONTWAIT)
    // The time is over, or what came was damaged and is gone.
    if (length === -EAGAIN) continue
    if (length < 0) throw systemError('recv', length)
    if (length >= HEADER && buffer.readUInt32BE() === id) {
      return Buffer.from(buffer.subarray(HEADER, length))
    }
    log('ignored: not the answer to this request')
  }
}
// #endregion answer

/** The lines of standard input, without their newlines. */
function* lines(): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536)
  let pieces: Buffer[] = [] // of a line that is not whole yet
  for (let count; (count = readSync(0, chunk)) > 0;) {
    const bytes = chunk.subarray(0, count)
    let start = 0
    for (let end; (end = bytes.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end)])
      pieces = []
    }
    if (start < count) pieces.push(Buffer.from(bytes.subarray(start)))
  }
  if (pieces.length > 0) yield Buffer.concat(pieces)
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
