// Wrong on purpose: while there is nothing it asks again at once, and it knows of no end.
// usage: node busy-loop.broken.ts PORT [HOST]

import {
  EAGAIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
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
  setsockopt,
  sockaddr,
  socket,
  tryRecv,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node busy-loop.broken.ts PORT [HOST]')
  process.exit(2)
}

const MANY = 100_000
const buffer = Buffer.alloc(64)
try {
  const connFd = firstClient(SOCK_NONBLOCK)
  // #region busy-loop
  let text = ''
  let before = 1
  let same = 0
  while (!text.endsWith('\n')) {
    const received = tryRecv(connFd, buffer, 64, 0)
    if (received > 0) text += buffer.toString('latin1', 0, received)
    same = received === before ? same + 1 : 1
    before = received
    if (same === MANY)
      console.log(`recv = ${received === -EAGAIN ? 'EAGAIN' : received}, ${MANY} times`)
  }
  // #endregion busy-loop
  console.log(`all: ${JSON.stringify(text)}`)
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
