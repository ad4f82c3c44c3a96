// Prints what waiting calls throw when a signal comes for which there is a JavaScript handler. The signal comes
// again every 10 ms, so that it is sure to find each call waiting.

import koffi from 'koffi'
import {
  AF_INET,
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  type SystemError,
  FD_ISSET,
  FD_SET,
  accept,
  bind,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fd_set,
  getsockname,
  listen,
  poll,
  pollfds,
  recv,
  recvfrom,
  select,
  send,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  sockaddr_un,
  socket,
  timeval,
  trySend,
} from '#posix'

const LONG = 60_000 // ms: the test gives up before

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr('127.0.0.1', 0))
listen(listenFd, 0)
setsockopt(listenFd, SOL_SOCKET, SO_RCVTIMEO, timeval(LONG))

const datagramFd = socket(AF_INET, SOCK_DGRAM, 0)
bind(datagramFd, sockaddr('127.0.0.1', 0))
setsockopt(datagramFd, SOL_SOCKET, SO_RCVTIMEO, timeval(LONG))

const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, datagramFd, EPOLLIN)
const places = pollfds(1)
places.set(0, datagramFd, POLLIN)
const set = fd_set()
FD_SET(datagramFd, set)

const buf = Buffer.alloc(65_536)

// The accept queue of a backlog of 0 has room for one connection. Nobody takes it, so the next one has to wait.
const full = sockaddr('127.0.0.1', 0)
const fullFd = socket(AF_INET, SOCK_STREAM, 0)
bind(fullFd, full)
listen(fullFd, 0)
getsockname(fullFd, full)
connect(socket(AF_INET, SOCK_STREAM, 0), full)
const queue = pollfds(1)
queue.set(0, fullFd, POLLIN)
poll(queue, 1, LONG) // connect returns before the connection is in the queue

// A pair of unix sockets, in which nothing makes room but the reader.
const name = sockaddr_un(`\0live-sockets-interrupted-${process.pid}`)
const unixFd = socket(AF_UNIX, SOCK_STREAM, 0)
bind(unixFd, name)
listen(unixFd, 1)
const senderFd = socket(AF_UNIX, SOCK_STREAM, 0)
connect(senderFd, name)
setsockopt(senderFd, SOL_SOCKET, SO_SNDTIMEO, timeval(LONG))
while (trySend(senderFd, buf, buf.length, MSG_DONTWAIT) > 0);

process.on('SIGALRM', () => {})

const ITIMER_REAL = 0
const setitimer = koffi.load('libc.so.6').func('int setitimer(int, const void *, void *)')
setitimer(ITIMER_REAL, Buffer.concat([timeval(10), timeval(10)]), null)

const outcome: Record<string, string> = {}
function record(name: string, act: () => unknown): void {
  try {
    act()
    outcome[name] = 'returned'
  } catch (error) {
    outcome[name] = (error as SystemError).message
  }
}

record('epoll_wait', () => epoll_wait(epfd, epoll_events(1), 1, LONG))
record('poll', () => poll(places, 1, LONG))
record('select', () => select(datagramFd + 1, set, null, null, timeval(LONG)))
outcome['the set after select'] = FD_ISSET(datagramFd, set) ? 'as it was' : 'cleared'
record('recv', () => recv(datagramFd, buf, 1, 0))
record('recvfrom', () => recvfrom(datagramFd, buf, 1, 0, sockaddr_storage()))
record('accept', () => accept(listenFd))

const secondFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(secondFd, SOL_SOCKET, SO_SNDTIMEO, timeval(LONG))
record('connect', () => connect(secondFd, full))

record('send', () => send(senderFd, buf, buf.length, 0))

console.log(JSON.stringify(outcome))
process.exit(0)
