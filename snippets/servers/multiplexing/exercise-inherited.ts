// A child process is given a copy of each descriptor that lacks
// FD_CLOEXEC. A server that starts a program, any program, has the trap
// of `dup` in every connection of that moment.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  send,
  socketpair,
} from '#posix'

for (const flag of [0, SOCK_CLOEXEC]) {
  console.log(flag === 0 ? 'without SOCK_CLOEXEC' : 'with SOCK_CLOEXEC')
  const epfd = epoll_create1(0)
  const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM | flag, 0)
  epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
  send(peerFd, Buffer.from('hello'), 5, 0)

  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  close(connFd)
  console.log(`  closed, a child runs: epoll_wait ${epoll_wait(epfd, epoll_events(1), 1, 0)}`)
  child.kill()
  await once(child, 'exit')
  console.log(`  the child has ended: epoll_wait ${epoll_wait(epfd, epoll_events(1), 1, 0)}`)
}
