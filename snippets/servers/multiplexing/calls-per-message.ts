// The system calls that one message costs a server: level-triggered,
// edge-triggered, one-shot. Both ends of the connection are in this
// process, and only the server's calls are counted.

import {
  AF_UNIX,
  EAGAIN,
  EPOLLET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  send,
  socketpair,
  tryRecv,
} from '#posix'

const MESSAGES = 1000

const epfd = epoll_create1(0)
const events = epoll_events(1)
const buf = Buffer.alloc(64)

console.log(`${MESSAGES} messages`)
run('level-triggered', EPOLLIN)
run('edge-triggered', EPOLLIN | EPOLLET)
run('one-shot', EPOLLIN | EPOLLONESHOT)

function run(name: string, asked: number): void {
  const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
  epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, asked)
  let [waits, reads, changes] = [0, 0, 0]
  for (let i = 0; i < MESSAGES; i++) {
    send(peerFd, buf, 64, 0)
    epoll_wait(epfd, events, 1, -1)
    waits++
    do reads++
    while (tryRecv(connFd, buf, 64, 0) !== -EAGAIN && asked & EPOLLET)
    if (asked & EPOLLONESHOT) {
      epoll_ctl(epfd, EPOLL_CTL_MOD, connFd, asked)
      changes++
    }
  }
  console.log(`  ${name}: epoll_wait ${waits}, recv ${reads}, epoll_ctl ${changes}`)
}
