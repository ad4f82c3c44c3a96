// The multiplexed read on epoll: it waits and copies as the one on select does.
// usage: node exercise-epoll.ts PORT [HOST]

import {
  EINTR,
  EPOLLIN,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  family,
  format,
  getsockname,
  listen,
  recv,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  tryEpollWait,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-epoll.ts PORT [HOST]')
  process.exit(2)
}

const buffer = Buffer.alloc(64)
try {
  const connFd = firstClient(SOCK_NONBLOCK)
  look()
  // #region epoll
  const epfd = epoll_create1(EPOLL_CLOEXEC)
  epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN) // once, not for each wait
  const events = epoll_events(1)
  for (const limit of [300, -1]) {
    console.log(`epoll_wait(conn, ${limit === -1 ? 'no limit' : `${limit} ms`}) …`)
    const start = performance.now()
    let ready: number
    do ready = tryEpollWait(epfd, events, 1, limit)
    while (ready === -EINTR) // a signal came
    if (ready < 0) throw systemError('epoll_wait', ready)
    console.log(`epoll_wait = ${ready} after ${Math.round(performance.now() - start)} ms`)
    if (ready > 0) break
  }
  look()
  console.log(`recv(conn, buffer, 64) = ${recv(connFd, buffer, 64, 0)}`)
  // #endregion epoll
  look()
  close(epfd)
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
