// One line to the reversing server and its reply, with one limit for all of it.
// usage: node exercise-deadline.ts ADDRESS PORT [MILLISECONDS]

import { isIP } from 'node:net'
import {
  EAGAIN,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  type SystemError,
  close,
  connect,
  family,
  send,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  timeval,
  tryRecv,
} from '#posix'

const [host = '', port = '', limit = '300'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) usage()
if (!/^[1-9]\d{0,6}$/.test(limit)) usage()

const line = Buffer.from('drop by drop\n')
const reply = Buffer.alloc(line.length - 1)
const start = performance.now()

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(left()))
  connect(fd, addr)
  for (let sent = 0; sent < line.length;) {
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(left()))
    sent += send(fd, line.subarray(sent), line.length - sent, 0)
  }
  // #region deadline
  for (let received = 0; received < reply.length;) {
    // Before each call, what is left.
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(left()))
    const count = tryRecv(fd, reply.subarray(received), reply.length - received, 0)
    if (count === -EAGAIN) continue // our clock says whether that was the deadline
    if (count < 0) throw systemError('recv', count)
    if (count === 0) {
      throw new Error(`closed by the server after ${received} of ${reply.length} bytes`)
    }
    received += count
  }
  // #endregion deadline
  console.log(`received: ${reply}`)
  close(fd)
} catch (error) {
  const { code, message } = error as SystemError
  // Each call had all the time that was left.
  const late = code === 'EAGAIN' || code === 'EINPROGRESS'
  console.error(late ? tooLate() : message)
  process.exit(1)
}

// #region left
/** Milliseconds until the deadline; never 0, which setsockopt takes for "no limit". */
function left(): number {
  const milliseconds = Number(limit) - (performance.now() - start)
  if (milliseconds < 0.001) throw new Error(tooLate())
  return milliseconds
}
// #endregion left

function tooLate(): string {
  return `no reply after ${(performance.now() - start).toFixed(0)} ms`
}

function usage(): never {
  console.error('usage: node exercise-deadline.ts ADDRESS PORT [MILLISECONDS]')
  process.exit(2)
}
