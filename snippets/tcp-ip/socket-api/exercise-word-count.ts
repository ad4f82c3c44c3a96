// Counts lines, words and bytes of what a client sends, and answers
// when the client has sent all: a half-close ends the text.
// usage: node exercise-word-count.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
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
  setsockopt,
  sockaddr,
  socket,
  tryRecv,
  trySend,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-word-count.ts PORT [HOST]')
  process.exit(2)
}

const buf = Buffer.alloc(65_536)
try {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)
  for (;;) {
    const connFd = accept(listenFd)
    log(serve(connFd))
    close(connFd)
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** Reads to the end, answers, and tells what it answered. */
function serve(connFd: number): string {
  let [lines, words, bytes] = [0, 0, 0]
  let inWord = false // a word may begin in one piece of the stream and end in another
  for (;;) {
    const received = tryRecv(connFd, buf, buf.length, 0)
    // A reset ends this connection, not the server.
    if (received < 0) return 'the client is gone'
    if (received === 0) break
    bytes += received
    for (const byte of buf.subarray(0, received)) {
      const space = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
      if (byte === 0x0a) lines += 1
      if (!space && !inWord) words += 1
      inWord = !space
    }
  }
  const answer = `${lines} lines, ${words} words, ${bytes} bytes`
  // So few bytes always fit.
  trySend(connFd, Buffer.from(`${answer}\n`), answer.length + 1, 0)
  return answer
}

/**
 * What a full pipe does not take, console.log keeps until the event loop turns, and in a
 * program that blocks it never turns.
 */
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
