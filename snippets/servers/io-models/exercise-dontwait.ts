// A socket that blocks, and one call on it that does not.
// usage: node exercise-dontwait.ts PORT [HOST]

import {
  EAGAIN,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  recv,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-dontwait.ts PORT [HOST]')
  process.exit(2)
}

const buffer = Buffer.alloc(64)
try {
  const connFd = firstClient()
  look()
  // #region dontwait
  const received = tryRecv(connFd, buffer, 64, MSG_DONTWAIT) // this call waits for nothing ...
  console.log(
    `recv(conn, buffer, 64, MSG_DONTWAIT) = ${received === -EAGAIN ? 'EAGAIN' : received}`,
  )
  if (received === -EAGAIN) {
    console.log('recv(conn, buffer, 64) …')
    console.log(`recv = ${recv(connFd, buffer, 64, 0)}`) // ... and the next one waits as before
  } else if (received < 0) throw systemError('recv', received)
  // #endregion dontwait
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
