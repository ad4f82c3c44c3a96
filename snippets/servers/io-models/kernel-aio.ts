// The kernel's older asynchronous I/O, on a socket: it waits, and copies, in the call.
// usage: node kernel-aio.ts PORT [HOST]

import {
  type IoEvent,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept4,
  bind,
  close,
  family,
  format,
  getsockname,
  io_destroy,
  io_getevents,
  io_setup,
  io_submit,
  iocb_pread,
  listen,
  mmap,
  setsockopt,
  sockaddr,
  socket,
  systemError,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node kernel-aio.ts PORT [HOST]')
  process.exit(2)
}

// Memory that stays where it is, as what the kernel may write to later has to.
const memory = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
const buffer = memory.bytes
try {
  const connFd = firstClient()
  look()
  // #region submit
  const context = io_setup(8)
  console.log('io_submit(pread(conn, buffer, 64)) …')
  console.log(`io_submit = ${io_submit(context, iocb_pread(connFd, memory, 64, 0, 1))}`)
  look()
  const events = io_getevents(context, 1, 1)
  console.log(`io_getevents(context) = ${events.length}`)
  const [{ result }] = events as [IoEvent]
  if (result < 0) throw systemError('pread', result)
  console.log(`completion: ${result}`)
  io_destroy(context)
  // #endregion submit
  close(connFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// Listens, takes the first client, and listens no longer.
function firstClient(): number {
  const addr = sockaddr(host, Number(port))
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  bind(listenFd, addr)
  listen(listenFd, 1)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
  close(listenFd)
  return connFd
}

// Looks at the buffer. It is our own memory: no call is needed.
function look(): void {
  console.log(`buffer: ${JSON.stringify(buffer.toString().replace(/\0+$/, ''))}`)
}
