// An edge is reported once. What it was about stays where it is: bytes
// that nobody has read wait in the socket, and epoll says nothing more
// of them. Both ends are in this process.

import {
  AF_UNIX,
  EPOLLET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  FIONREAD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  ioctl,
  socketpair,
  tryRecv,
  trySend,
} from '#posix'

const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
const epfd = epoll_create1(0)
const events = epoll_events(1)
const buf = Buffer.alloc(4)
const waiting = Buffer.alloc(4)

epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN | EPOLLET)

send('abcdefgh')
look()
receive() // 4 of 8 bytes
look() // they wait, and no event tells so

send('i')
look()
receive() // the oldest bytes come first
look()

console.log('epoll_ctl MOD with the same events')
epoll_ctl(epfd, EPOLL_CTL_MOD, connFd, EPOLLIN | EPOLLET)
look()
receive()
receive() // EAGAIN: now the socket is empty, and the next byte will be an edge

console.log('epoll_ctl MOD to level-triggered')
epoll_ctl(epfd, EPOLL_CTL_MOD, connFd, EPOLLIN)
send('jk')
look()
look()
receive()
look()

/** One epoll_wait that does not wait, beside what the socket holds. */
function look(): void {
  const ready = epoll_wait(epfd, events, 1, 0)
  ioctl(connFd, FIONREAD, waiting)
  console.log(`  epoll_wait: ${ready}   bytes in the socket: ${waiting.readInt32LE()}`)
}

function send(text: string): void {
  trySend(peerFd, Buffer.from(text), text.length, 0)
  console.log(`the peer sends '${text}'`)
}

function receive(): void {
  const received = tryRecv(connFd, buf, buf.length, 0)
  console.log(`recv: ${received < 0 ? 'EAGAIN' : `'${buf.toString('utf8', 0, received)}'`}`)
}
