// Sends to a server that does not read, with a limit on how long send may wait.
// usage: node send-timeout.ts ADDRESS PORT [MILLISECONDS]

import { isIP } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_SNDTIMEO,
  connect,
  family,
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

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(Number(limit)))
  connect(fd, addr)

  const bytes = Buffer.alloc(64 * 1024 * 1024) // more than the kernels of both sides hold
  let start = performance.now()
  const elapsed = (): string => `after ${(performance.now() - start).toFixed(0)} ms`
  let sent = send(fd, bytes, bytes.length, 0)
  console.log(`send: took ${sent < bytes.length ? 'a part' : 'all'} ${elapsed()}`)
  try {
    while (sent < bytes.length) {
      start = performance.now()
      sent += send(fd, bytes.subarray(sent), bytes.length - sent, 0)
    }
  } catch (error) {
    throw new Error(`${(error as Error).message} ${elapsed()}`, { cause: error })
  }
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

function usage(): never {
  console.error('usage: node send-timeout.ts ADDRESS PORT [MILLISECONDS]')
  process.exit(2)
}
