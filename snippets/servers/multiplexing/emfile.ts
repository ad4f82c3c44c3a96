// Two cures for a server that runs out of descriptors: give the client
// up with the help of a descriptor kept in reserve, or stop asking
// until a connection has been closed. Server and clients are in this
// process, whose limit is lowered.

import { closeSync, openSync } from 'node:fs'
import {
  AF_INET,
  EMFILE,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  RLIMIT_NOFILE,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  bind,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getrlimit,
  getsockname,
  listen,
  recv,
  setrlimit,
  sockaddr_in,
  socket,
  tryAccept,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
bind(listenFd, addr)
listen(listenFd, 16)
getsockname(listenFd, addr)
const [firstFd, secondFd] = [socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)]

const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, listenFd, EPOLLIN)
const events = epoll_events(1)
let reserve = 0 // standard input, which is of no other use here
setrlimit(RLIMIT_NOFILE, { ...getrlimit(RLIMIT_NOFILE), soft: 3 }) // 0, 1 and 2 are in use

console.log('a descriptor in reserve')
connect(firstFd, addr)
turn(giveUpClient, -1)
console.log(`  the client: recv ${recv(firstFd, Buffer.alloc(1), 1, 0)}`) // 0: it has been told
turn(giveUpClient, 0)

console.log('the listening socket put aside')
connect(secondFd, addr)
turn(stopAsking, -1)
turn(stopAsking, 0)
close(reserve) // in place of a connection
askAgain()
turn(stopAsking, 0)

// #region reserve
/** Takes the client with the descriptor in reserve, and closes: it learns where it stands. */
function giveUpClient(): void {
  closeSync(reserve)
  const connFd = tryAccept(listenFd, undefined, 0)
  if (connFd >= 0) close(connFd)
  reserve = openSync('/dev/null', 'r')
}
// #endregion reserve

// #region aside
/** Leaves the client in the queue, where it waits for its turn. */
function stopAsking(): void {
  epoll_ctl(epfd, EPOLL_CTL_MOD, listenFd, 0)
}

/** Whoever closes a connection calls this. */
function askAgain(): void {
  epoll_ctl(epfd, EPOLL_CTL_MOD, listenFd, EPOLLIN)
}
// #endregion aside

/** One turn of the server's loop. */
function turn(cure: () => void, timeout: number): void {
  const ready = epoll_wait(epfd, events, 1, timeout)
  const connFd = ready === 0 ? 0 : tryAccept(listenFd, undefined, 0)
  const outcome = ready === 0 ? '' : connFd === -EMFILE ? ', accept EMFILE' : ', accepted'
  console.log(`  epoll_wait ${ready}${outcome}`)
  if (connFd === -EMFILE) cure()
}
