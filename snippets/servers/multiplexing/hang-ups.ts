// How a connection ends, as epoll reports it: which bits come for a
// half-close, a close, a reset. Both ends of each connection are in
// this process.

import {
  AF_INET,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLRDHUP,
  EPOLL_CTL_ADD,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  accept,
  bind,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getsockname,
  linger,
  listen,
  send,
  setsockopt,
  shutdown,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr)

const NAMES = { EPOLLIN, EPOLLRDHUP, EPOLLERR, EPOLLHUP }
const byte = Buffer.alloc(1)

tell('a socket that was never connected', socket(AF_INET, SOCK_STREAM, 0))

const half = connection()
send(half.peerFd, byte, 1, 0)
tell('a byte has come', half.connFd)
shutdown(half.peerFd, SHUT_WR)
until(half.connFd, EPOLLRDHUP)
tell('the peer has half-closed', half.connFd)
tryRecv(half.connFd, byte, 1, 0)
tell('the byte has been read', half.connFd)
shutdown(half.connFd, SHUT_WR)
tell('so have we', half.connFd)

const full = connection()
close(full.peerFd)
tell('the peer has closed', full.connFd)
send(full.connFd, byte, 1, 0) // it can still be sent; a reset is the answer
until(full.connFd, EPOLLHUP)
tell('we have sent to it', full.connFd)

const reset = connection()
setsockopt(reset.peerFd, SOL_SOCKET, SO_LINGER, linger(true, 0)) // close will send RST
close(reset.peerFd)
until(reset.connFd, EPOLLRDHUP)
tell('the peer has reset', reset.connFd)
tryRecv(reset.connFd, byte, 1, 0) // ECONNRESET, once
tell('the error has been read', reset.connFd)

/** Waits for an event, and prints its bits. */
function tell(what: string, fd: number): void {
  const events = wait(fd, EPOLLIN | EPOLLRDHUP)
  const names = Object.entries(NAMES).filter(([, bit]) => events & bit)
  console.log(`${what.padEnd(34)} ${names.map(([name]) => name).join(' ')}`)
}

/** Waits until the bit is there: what the peer does takes a moment to arrive. */
function until(fd: number, bit: number): void {
  while (!(wait(fd, bit) & bit));
}

/** Waits for one of the events asked for, or for EPOLLERR or EPOLLHUP, which come unasked. */
function wait(fd: number, asked: number): number {
  const epfd = epoll_create1(0)
  const events = epoll_events(1)
  epoll_ctl(epfd, EPOLL_CTL_ADD, fd, asked)
  epoll_wait(epfd, events, 1, -1)
  close(epfd)
  return events.events(0)
}

function connection(): { peerFd: number; connFd: number } {
  const peerFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(peerFd, addr)
  return { peerFd, connFd: accept(listenFd) }
}
