// Wrong on purpose: the server has no descriptor left, accept fails,
// and the loop goes on as if that were the end of it. The client is
// still in the queue, so epoll_wait returns at once, for ever. Server
// and client are in this process, whose limit is lowered.

import {
  AF_INET,
  EMFILE,
  EPOLLIN,
  EPOLL_CTL_ADD,
  RLIMIT_NOFILE,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  bind,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getrlimit,
  getsockname,
  listen,
  setrlimit,
  sockaddr_in,
  socket,
  tryAccept,
} from '#posix'

const TURNS = 10_000 // for ever, cut short

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
bind(listenFd, addr)
listen(listenFd, 16)
connect(socket(AF_INET, SOCK_STREAM, 0), getsockname(listenFd, addr))
console.log('a client has connected')

const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)
const events = epoll_events(1)
setrlimit(RLIMIT_NOFILE, { ...getrlimit(RLIMIT_NOFILE), soft: 3 }) // 0, 1 and 2 are in use

// #region the-loop
let failed = 0
const start = performance.now()
for (let turn = 0; turn < TURNS; turn++) {
  epoll_wait(epfd, events, 1, 60_000) // would wait for a minute
  const connFd = tryAccept(listenFd, undefined, 0)
  if (connFd === -EMFILE) failed++
}
const took = performance.now() - start
// #endregion the-loop
console.log(`${failed} of ${TURNS} turns: EMFILE, after ${took.toFixed(0)} ms`)
process.exit() // what would end in order may need a descriptor for it
