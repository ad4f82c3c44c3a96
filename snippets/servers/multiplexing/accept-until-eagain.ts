// Four clients connect together, and are one edge. A server takes all
// of them at that edge, or has the event repeated: both ways in turn.
// Server and clients are in this process.

import {
  AF_INET,
  EPOLLET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  IPPROTO_TCP,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TCP_INFO,
  bind,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getsockname,
  getsockopt,
  listen,
  sockaddr_in,
  socket,
  tryAccept,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
bind(listenFd, addr)
listen(listenFd, 16)
getsockname(listenFd, addr)

const epfd = epoll_create1(0)
const events = epoll_events(1)

console.log('edge-triggered')
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN | EPOLLET)
fourClients()
turn(acceptAll)
turn(acceptAll)

console.log('level-triggered')
epoll_ctl(epfd, EPOLL_CTL_MOD, listenFd, EPOLLIN)
fourClients()
for (let i = 0; i < 5; i++) turn(acceptOne)

// #region two-ways
/** For edges: until the queue is empty, which only a non-blocking socket can tell. */
function acceptAll(): number {
  let count = 0
  while (acceptOne() === 1) count++
  return count
}

/** For levels: epoll_wait will say so if there are more. */
function acceptOne(): number {
  const connFd = tryAccept(listenFd, undefined, 0)
  if (connFd < 0) return 0 // EAGAIN, or a connection that has failed in the queue
  close(connFd)
  return 1
}
// #endregion two-ways

/** One turn of the server's loop, which does not wait. */
function turn(take: () => number): void {
  const ready = epoll_wait(epfd, events, 1, 0)
  const accepted = ready === 1 ? take() : 0
  console.log(`  epoll_wait: ${ready}   accepted: ${accepted}   in the queue: ${acceptQueue()}`)
}

function fourClients(): void {
  for (let i = 0; i < 4; i++) connect(socket(AF_INET, SOCK_STREAM, 0), addr)
  while (acceptQueue() < 4); // the kernel may take a moment
  console.log('4 connect')
}

/** How many connections wait for accept: tcpi_unacked of a listening socket. */
function acceptQueue(): number {
  const info = Buffer.alloc(28)
  getsockopt(listenFd, IPPROTO_TCP, TCP_INFO, info)
  return info.readUInt32LE(24)
}
