// Wrong on purpose: takes it that send sends everything.
// usage: node lost-rest.broken.ts PORT

import {
  AF_INET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_SNDBUF,
  accept4,
  bind,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  tryEpollWait,
  tryRecv,
  trySend,
} from '#posix'

const buffer = Buffer.alloc(65_536)

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(listenFd, SOL_SOCKET, SO_SNDBUF, 65_536) // full sooner
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
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
    } else {
      const received = tryRecv(fd, buffer, buffer.length, 0)
      if (received > 0) trySend(fd, buffer, received, 0) // all of it?
      else close(fd)
    }
  }
}
