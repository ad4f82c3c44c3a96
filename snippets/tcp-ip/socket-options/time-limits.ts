// SO_RCVTIMEO and SO_SNDTIMEO: a limit to each call that waits, one at a time.
// usage: node time-limits.ts

import {
  AF_INET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)

// #region accept
setsockopt(listenFd, SOL_SOCKET, SO_RCVTIMEO, timeval(200))
timed('accept, nobody comes', () => accept(listenFd))
// #endregion accept

const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))
const connFd = accept(listenFd)

// #region inherited
const buf = Buffer.alloc(1024 * 1024)
timed('recv, nothing comes', () => recv(connFd, buf, buf.length, 0))
// #endregion inherited

// #region send
setsockopt(clientFd, SOL_SOCKET, SO_SNDTIMEO, timeval(200))
timed('send, nobody reads', () => {
  for (;;) send(clientFd, buf, buf.length, 0) // takes all, then parts, then nothing
})
// #endregion send
for (const fd of [clientFd, connFd, listenFd]) close(fd)

function timed(what: string, call: () => number): void {
  const began = performance.now()
  let result: string
  try {
    result = String(call())
  } catch (error) {
    result = (error as NodeJS.ErrnoException).code!
  }
  console.log(`${what}: ${result} after ${Math.round(performance.now() - began)} ms`)
}
