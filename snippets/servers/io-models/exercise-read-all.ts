// Reads a line from a non-blocking socket: waits without burning, knows the end, gives up in time.
// usage: node exercise-read-all.ts PORT [HOST [MILLISECONDS]]

import {
  EAGAIN,
  EINTR,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  listen,
  pollfds,
  setsockopt,
  sockaddr,
  socket,
  systemError,
  tryPoll,
  tryRecv,
} from '#posix'

const [port = '', host = '127.0.0.1', limit = '10000'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,6}$/.test(limit)) {
  console.error('usage: node exercise-read-all.ts PORT [HOST [MILLISECONDS]]')
  process.exit(2)
}

const LINE_MAX = 65_536 // bytes, the newline among them
try {
  const connFd = firstClient(SOCK_NONBLOCK)
  console.log(`a line: ${JSON.stringify(readLine(connFd, Number(limit)).toString())}`)
  close(connFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region read-line
// Takes what is there, and waits in poll while there is nothing.
function readLine(fd: number, milliseconds: number): Buffer {
  const deadline = performance.now() + milliseconds
  const buffer = Buffer.alloc(LINE_MAX)
  const places = pollfds(1)
  places.set(0, fd, POLLIN)
  let used = 0
  for (;;) {
    const end = buffer.subarray(0, used).indexOf('\n')
    if (end !== -1) return buffer.subarray(0, end + 1)
    if (used === LINE_MAX) throw new Error(`no end of line in ${used} bytes`)
    const received = tryRecv(fd, buffer.subarray(used), LINE_MAX - used, 0)
    if (received > 0) used += received
    else if (received === 0) throw new Error(`the peer has sent its last, after ${used} bytes`)
    else if (received !== -EAGAIN) throw systemError('recv', received)
    else {
      const left = Math.ceil(deadline - performance.now()) // for all of the line
      const ready = left <= 0 ? 0 : tryPoll(places, 1, left)
      if (ready === 0) throw new Error(`no line within ${milliseconds} ms`)
      if (ready < 0 && ready !== -EINTR) throw systemError('poll', ready)
    }
  }
}
// #endregion read-line

// Listens, takes the first client, and listens no longer.
function firstClient(flags = 0): number {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, 1)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC | flags)
  close(listenFd)
  return connFd
}
