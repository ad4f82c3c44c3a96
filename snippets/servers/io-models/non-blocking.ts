// Non-blocking: recv never waits. It says that there is nothing, and we ask again.
// usage: node non-blocking.ts PORT [HOST]

import { createHash } from 'node:crypto'
import {
  EAGAIN,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  fcntl,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node non-blocking.ts PORT [HOST]')
  process.exit(2)
}

const buffer = Buffer.alloc(64)
let digest = Buffer.alloc(32)
try {
  const connFd = firstClient()
  // #region fcntl
  const flags = fcntl(connFd, F_GETFL)
  console.log(`fcntl(conn, F_SETFL, O_NONBLOCK) = ${fcntl(connFd, F_SETFL, flags | O_NONBLOCK)}`)
  // #endregion fcntl
  look()
  // #region non-blocking
  let received = tryRecv(connFd, buffer, 64, 0)
  if (received === -EAGAIN) {
    console.log('recv(conn, buffer, 64) = EAGAIN')
    look()
    console.log('works, and asks again after each piece of work')
  }
  while (received === -EAGAIN) {
    work()
    received = tryRecv(connFd, buffer, 64, 0)
  }
  if (received < 0) throw systemError('recv', received)
  console.log(`recv(conn, buffer, 64) = ${received}`)
  // #endregion non-blocking
  look()
  close(connFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// Listens, takes the first client, and listens no longer.
function firstClient(): number {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, 1)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  close(listenFd)
  return connFd
}

// Looks at the buffer. It is our own memory: no call is needed.
function look(): void {
  console.log(`buffer: ${JSON.stringify(buffer.toString().replace(/\0+$/, ''))}`)
}

// Something else that is worth doing: here the next link in a chain of hashes.
function work(): void {
  for (let i = 0; i < 1000; i++) digest = createHash('sha256').update(digest).digest()
}
