// One line to the reversing server and its reply. Each wait is a poll with a limit.
// usage: node poll-timeouts.ts ADDRESS PORT [MILLISECONDS]

import { isIP } from 'node:net'
import {
  EAGAIN,
  POLLIN,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  type SystemError,
  close,
  connect,
  family,
  getsockoptInt,
  poll,
  pollfds,
  sockaddr,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'

const [host = '', port = '', limit = '500'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) usage()
if (!/^[1-9]\d{0,6}$/.test(limit)) usage()

const fds = pollfds(1)
const start = performance.now()

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  connectInTime(fd, addr)
  sendAll(fd, Buffer.from('drop by drop\n'))
  console.log(`received: ${receive(fd, 12)}`)
  close(fd)
} catch (error) {
  console.error(`${(error as Error).message} after ${(performance.now() - start).toFixed(0)} ms`)
  process.exit(1)
}

// #region connect
function connectInTime(fd: number, addr: Buffer): void {
  try {
    connect(fd, addr)
    return // at once, as with a path
  } catch (error) {
    if ((error as SystemError).code !== 'EINPROGRESS') throw error
  }
  if (!ready(fd, POLLOUT)) throw new Error('no connection')
  const errno = getsockoptInt(fd, SOL_SOCKET, SO_ERROR) // what connect would have said
  if (errno !== 0) throw systemError('connect', -errno, addr)
}
// #endregion connect

// #region ready
/** Waits for an event on fd; false if the limit comes first. */
function ready(fd: number, events: number): boolean {
  const deadline = performance.now() + Number(limit)
  fds.set(0, fd, events)
  for (;;) {
    const left = Math.max(0, Math.ceil(deadline - performance.now()))
    try {
      return poll(fds, 1, left) > 0
    } catch (error) {
      if ((error as SystemError).code !== 'EINTR') throw error // a signal: wait for the rest
    }
  }
}
// #endregion ready

// #region receive
function receive(fd: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let received = 0; received < length;) {
    if (!ready(fd, POLLIN)) {
      throw new Error(received === 0 ? 'no answer' : `silent at ${received} of ${length} bytes`)
    }
    const count = tryRecv(fd, bytes.subarray(received), length - received, 0)
    if (count === 0) throw new Error(`closed by the server at ${received} of ${length} bytes`)
    if (count > 0) received += count
    else if (count !== -EAGAIN) throw systemError('recv', count)
  }
  return bytes
}
// #endregion receive

function sendAll(fd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    const count = trySend(fd, bytes.subarray(sent), bytes.length - sent, 0)
    if (count > 0) sent += count
    else if (count !== -EAGAIN) throw systemError('send', count)
    else if (!ready(fd, POLLOUT)) throw new Error('no room')
  }
}

function usage(): never {
  console.error('usage: node poll-timeouts.ts ADDRESS PORT [MILLISECONDS]')
  process.exit(2)
}
