// Wrong on purpose: one accept for one edge. Four clients that connect
// together are one edge, so three of them wait in the accept queue, and
// each later client frees only one of those before it. Server and
// clients are in this process.

import {
  AF_INET,
  EPOLLET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  IPPROTO_TCP,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TCP_INFO,
  bind,
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
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN | EPOLLET)
const events = epoll_events(1)
let queued = 0

clients(4)
turn()
turn() // nothing: the edge has been reported
for (let i = 0; i < 3; i++) {
  clients(1)
  turn()
}

// #region one-turn
/** One turn of the server's loop, which does not wait. */
function turn(): void {
  const ready = epoll_wait(epfd, events, 1, 0)
  let accepted = 0
  if (ready === 1 && tryAccept(listenFd, undefined, 0) >= 0) accepted = 1
  queued -= accepted
  console.log(`  epoll_wait: ${ready}   accepted: ${accepted}   in the queue: ${queued}`)
}
// #endregion one-turn

/** Connects clients, and waits until the kernel has put them all into the accept queue. */
function clients(count: number): void {
  for (let i = 0; i < count; i++) connect(socket(AF_INET, SOCK_STREAM, 0), addr)
  queued += count
  while (acceptQueue() < queued);
  console.log(`${count} connect`)
}

/** How many connections wait for accept: tcpi_unacked of a listening socket. */
function acceptQueue(): number {
  const info = Buffer.alloc(28)
  getsockopt(listenFd, IPPROTO_TCP, TCP_INFO, info)
  return info.readUInt32LE(24)
}
