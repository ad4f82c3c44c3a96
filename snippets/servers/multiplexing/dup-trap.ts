// epoll watches what a descriptor stands for, the kernel's open file
// description, and not the number. While another descriptor of the same
// description is open, closing the watched one ends nothing: its events
// go on, under a number that is free for the next socket.

import { getSystemErrorName } from 'node:util'
import {
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SystemError,
  close,
  dup,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  send,
  socketpair,
  tryRecv,
} from '#posix'

const epfd = epoll_create1(0)
const events = epoll_events(8)
const buf = Buffer.alloc(16)

const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
const copyFd = dup(connFd)

close(connFd)
console.log('the watched descriptor is closed, its copy is open')
send(peerFd, Buffer.from('hello'), 5, 0)
look()
look() // level-triggered: it comes until somebody reads
console.log(`  recv: ${code(tryRecv(connFd, buf, buf.length, 0))}`)
remove(connFd)

const [nextFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
console.log(`the next socket has ${nextFd === connFd ? 'the same' : 'another'} number`)
look()
console.log(`  recv: ${code(tryRecv(nextFd, buf, buf.length, 0))}`)
remove(nextFd)

close(copyFd)
console.log('the copy is closed, and with it the connection')
look()

const [secondPeerFd, secondFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
epoll_ctl(epfd, EPOLL_CTL_ADD, secondFd, EPOLLIN)
dup(secondFd)
console.log('another connection with a copy, removed before it is closed')
remove(secondFd)
close(secondFd)
send(secondPeerFd, Buffer.from('hello'), 5, 0)
look()

function look(): void {
  const ready = epoll_wait(epfd, events, 8, 0)
  const number = ready === 1 && events.fd(0) === connFd ? ', under the closed number' : ''
  console.log(`  epoll_wait: ${ready}${number}`)
}

function remove(fd: number): void {
  try {
    epoll_ctl(epfd, EPOLL_CTL_DEL, fd, 0)
    console.log('  epoll_ctl DEL: done')
  } catch (error) {
    console.log(`  epoll_ctl DEL: ${(error as SystemError).code}`)
  }
}

/** What a call returned: a count, or the name of its failure. */
function code(result: number): string {
  return result < 0 ? getSystemErrorName(result) : String(result)
}
