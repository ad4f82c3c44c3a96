// A host with two addresses, as a client sees it: 127.0.0.1 answers, and 127.0.0.2 does not,
// until something is typed here. Neither ever accepts.
// usage: node two-addresses.ts PORT

import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  endpoint,
  format,
  getsockname,
  listen,
  sockaddr_in,
  socket,
} from '#posix'

const [port = ''] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node two-addresses.ts PORT')
  process.exit(2)
}

try {
  // #region silent
  const [silentFd, answeringFd] = samePort(Number(port))
  const silent = getsockname(silentFd, sockaddr_in('0.0.0.0', 0))
  listen(silentFd, 0)
  const first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  connect(first, silent) // the queue is full now, and each SYN that comes is dropped
  process.stdin.once('data', () => close(accept(silentFd))) // and now it is not
  // #endregion silent

  listen(answeringFd, 100)
  console.log(`listening on ${format(getsockname(answeringFd, sockaddr_in('0.0.0.0', 0)))}`)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** Two sockets, bound to both addresses. A port that the kernel chose may be taken on the other. */
function samePort(wanted: number): [silentFd: number, answeringFd: number] {
  for (;;) {
    const silentFd = bound('127.0.0.2', wanted)
    const { port } = endpoint(getsockname(silentFd, sockaddr_in('0.0.0.0', 0)))
    try {
      return [silentFd, bound('127.0.0.1', port!)]
    } catch (error) {
      if (wanted !== 0 || (error as SystemError).code !== 'EADDRINUSE') throw error
      close(silentFd)
    }
  }
}

function bound(host: string, port: number): number {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(fd, sockaddr_in(host, port))
  return fd
}
