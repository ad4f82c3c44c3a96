// Prints what calls throw in a process that may open only a few descriptors: run it under `ulimit -n 40`.

import {
  AF_INET,
  SOCK_STREAM,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  epoll_create1,
  getsockname,
  listen,
  poll,
  pollfds,
  sockaddr,
  socket,
} from '#posix'

const LIMIT = Number(process.argv[2])

function errorOf(act: () => unknown): string {
  try {
    return String(act())
  } catch (error) {
    return (error as SystemError).message
  }
}

const addr = sockaddr('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))

const fds: number[] = []
const outcome: Record<string, string> = {}
outcome['socket'] = errorOf(() => {
  for (;;) fds.push(socket(AF_INET, SOCK_STREAM, 0))
})
outcome['accept'] = errorOf(() => accept(listenFd))
outcome['epoll_create1'] = errorOf(() => epoll_create1(0))
outcome['poll'] = errorOf(() => poll(pollfds(LIMIT + 1), LIMIT + 1, 0))

// The connection has stayed in the queue, for the time when there is a descriptor again.
close(fds.pop()!)
outcome['accept, once there is room'] = accept(listenFd) > 0 ? 'a descriptor' : ''
console.log(JSON.stringify(outcome))
