// Prints what waiting calls throw when a signal comes for which there is a JavaScript handler. The signal comes
// again every 10 ms, so that it is sure to find each call waiting.

import koffi from 'koffi'
import {
  AF_INET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  POLLIN,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  type SystemError,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  FD_ISSET,
  FD_SET,
  accept,
  bind,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fcntl,
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
  socket,
  timeval,
  trySend,
} from '#posix'

const LONG = 60_000 // ms: the test gives up before

process.on('SIGALRM', () => {})

const ITIMER_REAL = 0
const setitimer = koffi.load('libc.so.6').func('int setitimer(int, const void *, void *)')
setitimer(ITIMER_REAL, Buffer.concat([timeval(10), timeval(10)]), null)

const address = sockaddr('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, address)
listen(listenFd, 0)
getsockname(listenFd, address)
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

// The accept queue of a backlog of 0 has room for one connection. Nobody takes it, so the next one has to wait.
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, address)
const secondFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(secondFd, SOL_SOCKET, SO_SNDTIMEO, timeval(LONG))
record('connect', () => connect(secondFd, address))

const connFd = accept(listenFd)
setsockopt(connFd, SOL_SOCKET, SO_SNDTIMEO, timeval(LONG))
fcntl(connFd, F_SETFL, O_NONBLOCK)
while (trySend(connFd, buf, buf.length, 0) > 0);
fcntl(connFd, F_SETFL, fcntl(connFd, F_GETFL) & ~SOCK_NONBLOCK)
record('send', () => send(connFd, buf, buf.length, 0))

console.log(JSON.stringify(outcome))
process.exit(0)
