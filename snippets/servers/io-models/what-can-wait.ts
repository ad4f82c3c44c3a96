// What poll and epoll say of a socket on which nothing has come, of a file, and of /dev/null.
// usage: node what-can-wait.ts

import { closeSync, openSync } from 'node:fs'
import {
  type SystemError,
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  POLLIN,
  SOCK_STREAM,
  close,
  epoll_create1,
  epoll_ctl,
  poll,
  pollfds,
  socketpair,
} from '#posix'

const epfd = epoll_create1(0)
const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
show('a socket', fd)
close(fd)
close(peerFd)

for (const path of [import.meta.filename, '/dev/null']) {
  const fd = openSync(path, 'r')
  show(path === '/dev/null' ? path : 'a regular file', fd)
  closeSync(fd)
}
close(epfd)

function show(what: string, fd: number): void {
  const places = pollfds(1)
  places.set(0, fd, POLLIN)
  const ready = poll(places, 1, 0) === 1 ? 'ready' : 'not ready'
  let watched = 'epoll watches it'
  try {
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)
  } catch (error) {
    watched = (error as SystemError).message
  }
  console.log(`${what}: poll says ${ready}; ${watched}`)
}
