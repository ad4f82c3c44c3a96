// Multiplexed: select waits until there is something to read, or until its time is up.
// usage: node multiplexed.ts PORT [HOST]

import {
  EINTR,
  FD_SET,
  FD_ZERO,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  fd_set,
  format,
  getsockname,
  listen,
  recv,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  timeval,
  trySelect,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node multiplexed.ts PORT [HOST]')
  process.exit(2)
}

const buffer = Buffer.alloc(64)
try {
  const connFd = firstClient(SOCK_NONBLOCK)
  look()
  // #region multiplexed
  const readfds = fd_set()
  for (const limit of [300, undefined]) {
    FD_ZERO(readfds) // select leaves in the set only what is ready: fill it each time
    FD_SET(connFd, readfds) // and as many others as there are
    console.log(`select(conn, ${limit === undefined ? 'no limit' : `${limit} ms`}) …`)
    const timeout = limit === undefined ? null : timeval(limit)
    const start = performance.now()
    let ready: number
    do ready = trySelect(connFd + 1, readfds, null, null, timeout)
    while (ready === -EINTR) // the window has changed its size; timeout holds what is left
    if (ready < 0) throw systemError('select', ready)
    console.log(`select = ${ready} after ${Math.round(performance.now() - start)} ms`)
    if (ready > 0) break
  }
  look()
  console.log(`recv(conn, buffer, 64) = ${recv(connFd, buffer, 64, 0)}`)
  // #endregion multiplexed
  look()
  close(connFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// Listens, takes the first client, and listens no longer.
function firstClient(flags = 0): number {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, 1)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC | flags)
  close(listenFd)
  return connFd
}

// Looks at the buffer. It is our own memory: no call is needed.
function look(): void {
  console.log(`buffer: ${JSON.stringify(buffer.toString().replace(/\0+$/, ''))}`)
}
