// What a wait leaves of its preparations: two connections are watched,
// and one after the other has something to read. select, poll and epoll
// are each prepared once and asked twice.

import {
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  FD_ISSET,
  FD_SET,
  POLLIN,
  SOCK_STREAM,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fd_set,
  poll,
  pollfds,
  recv,
  select,
  send,
  socketpair,
  timeval,
} from '#posix'

const [firstPeerFd, firstFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const [secondPeerFd, secondFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const byte = Buffer.alloc(1)

const readfds = fd_set()
FD_SET(firstFd, readfds)
FD_SET(secondFd, readfds)
const timeout = timeval(200)
twice('select', () => {
  const ready = select(Math.max(firstFd, secondFd) + 1, readfds, null, null, timeout)
  return [ready, [firstFd, secondFd].filter((fd) => FD_ISSET(fd, readfds))]
})
console.log(`the timeval, 200 ms before: ${milliseconds(timeout)} ms`)

const places = pollfds(2)
places.set(0, firstFd, POLLIN)
places.set(1, secondFd, POLLIN)
twice('poll', () => {
  const ready = poll(places, 2, 0)
  return [ready, [0, 1].filter((i) => places.revents(i)).map((i) => places.fd(i))]
})

const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, firstFd, EPOLLIN)
epoll_ctl(epfd, EPOLL_CTL_ADD, secondFd, EPOLLIN)
const events = epoll_events(2)
twice('epoll_wait', () => {
  const ready = epoll_wait(epfd, events, 2, 0)
  return [ready, ready === 1 ? [events.fd(0)] : []]
})

/** Asks while the first is ready, and again while the second is. */
function twice(name: string, ask: () => [ready: number, fds: number[]]): void {
  for (const [peerFd, fd] of [
    [firstPeerFd, firstFd],
    [secondPeerFd, secondFd],
  ] as const) {
    send(peerFd, byte, 1, 0)
    const [ready, fds] = ask()
    const names = fds.map((one) => (one === firstFd ? ', the first' : ', the second'))
    console.log(`${name}: ${ready} ready${names.join('')}`)
    recv(fd, byte, 1, 0)
  }
}

/** What a timeval holds: seconds and microseconds. */
function milliseconds(time: Uint8Array): number {
  const [seconds, microseconds] = new BigInt64Array(time.buffer)
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}
