// The echo client with a limit that it learns: from how long
// answers have taken so far, and twice as long after each try that
// was not answered.
// usage: node exercise-backoff.ts ADDRESS PORT

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

const TRIES = 6
// Bytes: the id of the request in 4, the number of the try in 1
const HEADER = 5
const LEAST = 300 // milliseconds
const MOST = 60_000
const buffer = Buffer.alloc(65_536)
const places = pollfds(1)

const [host = '', port = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node exercise-backoff.ts ADDRESS PORT')
  process.exit(2)
}

// #region estimate
// RFC 6298: the smoothed round-trip time, how far it varies, and
// the limit that follows from them.
let smoothed: number | undefined
let variation = 0
let limit = 1000

function learn(measured: number): void {
  if (smoothed === undefined) {
    smoothed = measured
    variation = measured / 2
  } else {
    variation += (Math.abs(smoothed - measured) - variation) / 4
    smoothed += (measured - smoothed) / 8
  }
  limit = Math.min(MOST, Math.max(LEAST, Math.round(smoothed + 4 * variation)))
}
// #endregion estimate

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_DGRAM | SOCK_CLOEXEC, 0)
  connect(fd, addr)
  let id = randomInt(2 ** 32)
  for (const line of lines()) {
    log(`received: ${ask(fd, id, line)}`)
    id = (id + 1) % 2 ** 32
  }
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region ask
function ask(fd: number, id: number, text: Buffer): Buffer {
  const request = Buffer.alloc(HEADER + text.length)
  request.writeUInt32BE(id)
  request.set(text, HEADER)
  const sentAt: number[] = []
  for (let tries = 1; tries <= TRIES; tries++) {
    request[4] = tries
    sentAt[tries] = performance.now()
    send(fd, request, request.length, 0)
    const answer = answerTo(id, fd, performance.now() + limit)
    if (answer !== undefined) {
      // The answer repeats the number of the try, so that we know
      // which of them it answers.
      const sent = sentAt[answer[4]!]
      if (sent !== undefined) learn(performance.now() - sent)
      return answer.subarray(HEADER)
    }
    log(`no answer to try ${tries} after ${limit} ms`)
    limit = Math.min(MOST, limit * 2)
  }
  throw new Error(`no answer in ${TRIES} tries`)
}
// #endregion ask

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
    if (length === -EAGAIN) continue
    if (length < 0) throw systemError('recv', length)
    if (length >= HEADER && buffer.readUInt32BE() === id) {
      return Buffer.from(buffer.subarray(0, length))
    }
  }
}

/** The lines of standard input, without their newlines. */
function* lines(): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536)
  let rest = Buffer.alloc(0)
  for (let count; (count = readSync(0, chunk)) > 0;) {
    const bytes = Buffer.concat([rest, chunk.subarray(0, count)])
    let start = 0
    for (let end; (end = bytes.indexOf('\n', start)) !== -1; start = end + 1) {
      yield bytes.subarray(start, end)
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
