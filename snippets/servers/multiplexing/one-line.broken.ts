// Wrong on purpose: what waits to be sent lies where the next bytes arrive.
// usage: node one-line.broken.ts PORT

import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
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

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const epfd = epoll_create1(0)
const events = epoll_events(20)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)

const line = Buffer.alloc(10)
let length = 0
for (;;) {
  const count = tryEpollWait(epfd, events, events.count, -1)
  for (let i = 0; i < count; i++) {
    const fd = events.fd(i)
    if (fd === listenFd) {
      const connFd = accept4(listenFd, undefined, SOCK_NONBLOCK)
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
    } else if (events.events(i) & EPOLLIN) {
      length = tryRecv(fd, line, line.length, 0)
      if (length > 0) epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLOUT)
      else close(fd)
    } else {
      trySend(fd, line, length, 0) // whose line?
      epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN)
    }
  }
}
