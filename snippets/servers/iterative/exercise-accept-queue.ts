// How many clients may wait? A server that never accepts, and four that connect to it.
// usage: node exercise-accept-queue.ts

import {
  AF_INET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_SNDTIMEO,
  type SystemError,
  bind,
  connect,
  getsockname,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const backlog = 2
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
const addr = sockaddr_in('127.0.0.1', 0)
bind(listenFd, addr)
listen(listenFd, backlog)
getsockname(listenFd, addr)

for (let client = 1; client <= 4; client++) {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(200)) // for connect too
  const start = performance.now()
  try {
    connect(fd, addr)
    console.log(`client ${client}: connected`)
  } catch (error) {
    const elapsed = Math.round(performance.now() - start)
    console.log(`client ${client}: ${(error as SystemError).code} after ${elapsed} ms`)
  }
}
