// What can be registered with epoll, and what is refused and why.

import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AF_UNIX,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  POLLIN,
  SOCK_STREAM,
  close,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  poll,
  pollfds,
  send,
  socketpair,
} from '#posix'

const epfd = epoll_create1(0)
const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)

console.log('epoll_ctl ADD')
attempt('a socket', () => epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN))
attempt('the same again', () => epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN))
const folder = mkdtempSync(join(tmpdir(), 'epoll-'))
const fileFd = openSync(join(folder, 'file'), 'w+')
rmSync(folder, { recursive: true })
attempt('a regular file', () => epoll_ctl(epfd, EPOLL_CTL_ADD, fileFd, EPOLLIN))
attempt('a directory', () => epoll_ctl(epfd, EPOLL_CTL_ADD, openSync('/', 'r'), EPOLLIN))
attempt('a number that is not open', () => epoll_ctl(epfd, EPOLL_CTL_ADD, 9999, EPOLLIN))
attempt('itself', () => epoll_ctl(epfd, EPOLL_CTL_ADD, epfd, EPOLLIN))

const outerFd = epoll_create1(0)
attempt('an epoll instance', () => epoll_ctl(outerFd, EPOLL_CTL_ADD, epfd, EPOLLIN))
attempt('the outer one in it', () => epoll_ctl(epfd, EPOLL_CTL_ADD, outerFd, EPOLLIN))

const [, secondFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
attempt('EPOLLEXCLUSIVE | EPOLLONESHOT', () =>
  epoll_ctl(epfd, EPOLL_CTL_ADD, secondFd, EPOLLEXCLUSIVE | EPOLLONESHOT),
)
attempt('EPOLLEXCLUSIVE | EPOLLET', () =>
  epoll_ctl(epfd, EPOLL_CTL_ADD, secondFd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET),
)
attempt('MOD of that one', () => epoll_ctl(epfd, EPOLL_CTL_MOD, secondFd, EPOLLIN))

console.log('poll')
const places = pollfds(1)
places.set(0, fileFd, POLLIN)
console.log(`  a regular file, empty: ${poll(places, 1, 0) === 1 ? 'readable' : 'not readable'}`)

send(peerFd, Buffer.from('a'), 1, 0)
const events = epoll_events(1)
console.log('a byte comes for the socket')
console.log(`  the outer instance: ${epoll_wait(outerFd, events, 1, 0)} event`)

for (const fd of [epfd, outerFd]) close(fd)

function attempt(what: string, call: () => void): void {
  try {
    call()
    console.log(`  ${what}: done`)
  } catch (error) {
    console.log(`  ${what}: ${(error as Error).message}`)
  }
}
