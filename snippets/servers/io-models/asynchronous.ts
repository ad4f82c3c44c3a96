// Asynchronous: the kernel receives for us, and tells when the data are in the buffer.
// usage: node asynchronous.ts PORT [HOST]

import { createHash } from 'node:crypto'
import {
  type Ring,
  type SystemError,
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
  io_uring_enter,
  io_uring_peek_cqe,
  io_uring_prep_recv,
  io_uring_queue_exit,
  io_uring_queue_init,
  listen,
  mmap,
  setsockopt,
  sockaddr,
  socket,
  systemError,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node asynchronous.ts PORT [HOST]')
  process.exit(2)
}

// #region probe
let ring: Ring
try {
  ring = io_uring_queue_init(8)
} catch (error) {
  const { code, message } = error as SystemError
  console.error(`io_uring is not to be had here: ${message}`)
  process.exit(['ENOSYS', 'EPERM', 'EACCES'].includes(code) ? 3 : 1)
}
// #endregion probe

// #region memory
// The kernel writes here while we do something else: memory that stays where it is.
const memory = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
const buffer = memory.bytes
// #endregion memory
let digest = Buffer.alloc(32)
try {
  const connFd = firstClient()
  look()
  // #region asynchronous
  io_uring_prep_recv(ring, connFd, memory, 64, 0, 1)
  console.log(`io_uring_enter(recv(conn, buffer, 64)) = ${io_uring_enter(ring.fd, 1, 0, 0)}`)
  look()
  let done = io_uring_peek_cqe(ring) // looks at memory, as look does
  if (done === undefined) console.log('works')
  while (done === undefined) {
    work()
    done = io_uring_peek_cqe(ring)
  }
  if (done.result < 0) throw systemError('recv', done.result)
  console.log(`completion: ${done.result}`)
  // #endregion asynchronous
  look()
  io_uring_queue_exit(ring)
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

// Something else that is worth doing: here the next link in a chain of hashes.
function work(): void {
  for (let i = 0; i < 1000; i++) digest = createHash('sha256').update(digest).digest()
}
