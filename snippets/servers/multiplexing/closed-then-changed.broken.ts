// Wrong on purpose: closes a descriptor and goes on using its number.
// usage: node closed-then-changed.broken.ts PORT

import {
  AF_INET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOMAXCONN,
  accept4,
  bind,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  format,
  getsockname,
  listen,
  sockaddr_in,
  socket,
  tryEpollWait,
  tryRecv,
  trySend,
} from '#posix'

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

const buffer = Buffer.alloc(1000)

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const epfd = epoll_create1(0)
const events = epoll_events(20)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)

for (;;) {
  const count = tryEpollWait(epfd, events, events.count, -1)
  for (let i = 0; i < count; i++) {
    const fd = events.fd(i)
    if (fd === listenFd) {
      const connFd = accept4(listenFd, undefined, SOCK_NONBLOCK)
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN | EPOLLONESHOT)
    } else {
      const received = tryRecv(fd, buffer, buffer.length, 0)
      if (received > 0) trySend(fd, buffer, received, 0)
      else close(fd)
      // Asks for the next event, whether fd is still open or not.
      epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT)
    }
  }
}
