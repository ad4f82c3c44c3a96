// Prints how many bytes of JavaScript's heap each call of the data path takes, on average over many calls.
// Compare with `nothing`, which is the loop alone.

import { getHeapStatistics } from 'node:v8'
import {
  AF_INET,
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  F_GETFL,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  FD_SET,
  bind,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fcntl,
  fd_set,
  getsockname,
  getsockoptInt,
  listen,
  poll,
  pollfds,
  recv,
  recvfrom,
  select,
  send,
  sendto,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  sockaddr_un,
  socket,
  timeval,
  tryAccept,
  tryRecv,
  tryRecvfrom,
} from '#posix'

// A reading of the statistics closes the block from which the heap allocates, which counts some 200 KB by itself: 2 bytes a call.
const CALLS = 60_000
const ROUNDS = 40 // at the most; on a busy machine the compiler, on its own thread, takes its time

const buf = Buffer.alloc(1)
const peer = sockaddr_storage()

// A unix datagram socket that is connected to itself: what it sends, it receives.
const name = sockaddr_un(`\0live-sockets-allocations-${process.pid}`)
const echoFd = socket(AF_UNIX, SOCK_DGRAM, 0)
bind(echoFd, name)
connect(echoFd, name)

const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
bind(listenFd, sockaddr('127.0.0.1', 0))
listen(listenFd, 1)

const udpFd = socket(AF_INET, SOCK_DGRAM, 0)
const udpAddr = sockaddr('127.0.0.1', 0)
bind(udpFd, udpAddr)
getsockname(udpFd, udpAddr)

const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, echoFd, EPOLLIN)
const events = epoll_events(8)
const places = pollfds(1)
places.set(0, echoFd, POLLIN)
const readfds = fd_set()
const atOnce = timeval(0)

const acts: Record<string, () => void> = {
  nothing: () => {},
  'tryRecv, EAGAIN': () => tryRecv(echoFd, buf, 1, MSG_DONTWAIT),
  'tryRecvfrom, EAGAIN': () => tryRecvfrom(udpFd, buf, 1, MSG_DONTWAIT, peer),
  'tryAccept, EAGAIN': () => tryAccept(listenFd, peer, 0),
  'send, recv': () => {
    send(echoFd, buf, 1, 0)
    recv(echoFd, buf, 1, 0)
  },
  'sendto, recvfrom': () => {
    sendto(udpFd, buf, 1, 0, udpAddr)
    recvfrom(udpFd, buf, 1, 0, peer)
  },
  select: () => {
    FD_SET(echoFd, readfds)
    select(echoFd + 1, readfds, null, null, atOnce)
  },
  poll: () => poll(places, 1, 0),
  epoll_ctl: () => epoll_ctl(epfd, EPOLL_CTL_MOD, echoFd, EPOLLIN),
  epoll_wait: () => epoll_wait(epfd, events, 8, 0),
  getsockname: () => getsockname(udpFd, peer),
  getsockoptInt: () => getsockoptInt(echoFd, SOL_SOCKET, SO_RCVBUF),
  setsockopt: () => setsockopt(echoFd, SOL_SOCKET, SO_RCVBUF, 65_536),
  fcntl: () => fcntl(echoFd, F_GETFL),
}

/** What has been allocated since the start, whether it has been collected or not. */
const allocated = (): number => getHeapStatistics().total_allocated_bytes

/**
 * Bytes a call, once the compiler is done with it: the least of all rounds. What allocates at each call does so in every round;
 * a round in which nothing is allocated settles it.
 */
function measure(act: () => void): number {
  let least = Infinity
  for (let round = 0; round < ROUNDS && least >= 6; round++) {
    const before = allocated()
    for (let i = 0; i < CALLS; i++) act()
    least = Math.min(least, (allocated() - before) / CALLS)
  }
  return least
}

const bytes: Record<string, number> = {}
for (const [name, act] of Object.entries(acts)) bytes[name] = measure(act)

// A loop that does allocate, to show that the measure sees it.
let kept: object = {}
bytes['an object'] = measure(() => {
  kept = { fd: echoFd }
})
if (!('fd' in kept)) throw new Error('the loop was optimised away')
console.log(JSON.stringify(bytes))
