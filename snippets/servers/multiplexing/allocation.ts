// What a message leaves on JavaScript's heap: an echo over one
// connection, written in four ways. Both ends are in this process.

import { GCProfiler, getHeapStatistics } from 'node:v8'
import {
  AF_UNIX,
  EAGAIN,
  EPOLLIN,
  EPOLL_CTL_ADD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SystemError,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  recv,
  send,
  socketpair,
  tryRecv,
  trySend,
} from '#posix'

const SIZE = 64

const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
const events = epoll_events(16)
const buf = Buffer.alloc(SIZE)
const message = Buffer.alloc(SIZE)

tell('one buffer for all', 20_000, oneBuffer)
tell('a view of it for each message', 1000, oneView)
tell('a string for each message', 1000, oneString)
tell('an exception for each EAGAIN', 1000, oneException)

// #region four-ways
function oneBuffer(fd: number): void {
  const received = tryRecv(fd, buf, SIZE, 0)
  if (received > 0) trySend(fd, buf, received, 0)
}

function oneView(fd: number): void {
  const received = buf.subarray(0, tryRecv(fd, buf, SIZE, 0))
  trySend(fd, received, received.length, 0)
}

function oneString(fd: number): void {
  const text = buf.toString('latin1', 0, tryRecv(fd, buf, SIZE, 0))
  trySend(fd, Buffer.from(text, 'latin1'), text.length, 0)
}

function oneException(fd: number): void {
  try {
    for (;;) send(fd, buf, recv(fd, buf, SIZE, 0), 0)
  } catch (error) {
    if ((error as SystemError).errno !== -EAGAIN) throw error
  }
}
// #endregion four-ways

// #region how-far
/** One turn of a server's loop, and the client's part of it. */
function turn(echo: (fd: number) => void): void {
  trySend(peerFd, message, SIZE, 0)
  const ready = epoll_wait(epfd, events, 16, -1)
  for (let i = 0; i < ready; i++) echo(events.fd(i))
  tryRecv(peerFd, message, SIZE, 0)
}

/** By how many bytes a message makes the heap grow. */
function tell(what: string, messages: number, echo: (fd: number) => void): void {
  let least = Infinity // until it is done, the compiler allocates as well
  for (let round = 0; round < 15 && least > 0.1; round++) {
    const collections = new GCProfiler()
    collections.start()
    const before = getHeapStatistics().used_heap_size
    for (let i = 0; i < messages; i++) turn(echo)
    const grown = getHeapStatistics().used_heap_size - before
    const collected = collections.stop().statistics.length > 0
    // Nor does a round count in which memory was given back that had been collected before.
    if (!collected && grown >= 0) least = Math.min(least, grown / messages)
  }
  console.log(`${what}: ${least.toFixed(1)} bytes a message`)
}
// #endregion how-far
