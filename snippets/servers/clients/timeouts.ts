// One line to the reversing server and its reply, with a limit on how long each call may
// wait.
// usage: node timeouts.ts ADDRESS PORT [MILLISECONDS]

import { writeSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  close,
  connect,
  family,
  recv,
  send,
  setsockopt,
  sockaddr,
  socket,
  timeval,
} from '#posix'

const [host = '', port = '', limit = '500'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) usage()
if (!/^[1-9]\d{0,6}$/.test(limit)) usage()

const line = Buffer.from('drop by drop\n')
const reply = Buffer.alloc(line.length - 1)

try {
  // #region limits
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  // The limit of connect and of each send, then that of each recv.
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(Number(limit)))
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(Number(limit)))
  // #endregion limits

  timed('connect', () => connect(fd, addr))
  timed('send', () => {
    for (let sent = 0; sent < line.length;) {
      sent += send(fd, line.subarray(sent), line.length - sent, 0)
    }
  })
  timed('recv', () => {
    for (let received = 0; received < reply.length;) {
      const count = recv(fd, reply.subarray(received), reply.length - received, 0)
      if (count === 0) {
        throw new Error(`closed by the server after ${received} of ${reply.length} bytes`)
      }
      received += count
    }
  })
  log(`received: ${reply}`)
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** Runs it, and tells how long that took, also when it fails. */
function timed(what: string, act: () => void): void {
  const start = performance.now()
  const elapsed = (): number => Math.round(performance.now() - start)
  try {
    act()
  } catch (error) {
    throw new Error(`${(error as Error).message} after ${elapsed()} ms`, { cause: error })
  }
  const over = elapsed() > Number(limit) ? `, over the limit of ${limit}` : ''
  log(`${what}: done after ${elapsed()} ms${over}`)
}

function log(text: string): void {
  writeSync(1, `${text}\n`)
}

function usage(): never {
  console.error('usage: node timeouts.ts ADDRESS PORT [MILLISECONDS]')
  process.exit(2)
}
