// A descriptor is a number; behind it are an open file, a socket, and what TCP knows.

import { fstatSync, readFileSync, readlinkSync } from 'node:fs'
import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  dup,
  getsockname,
  listen,
  recv,
  setNonBlocking,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
const serverFd = accept(listenFd)

// #region dup
const copyFd = dup(clientFd)
const inode = fstatSync(clientFd).ino
console.log(
  `the link of fd ${clientFd} is socket:[its inode]: ${link(clientFd) === `socket:[${inode}]`}`,
)
console.log(`fd ${copyFd}, a dup, has the same: ${link(copyFd) === link(clientFd)}`)
console.log(`fd ${serverFd}, the other end, has its own: ${link(serverFd) !== link(clientFd)}`)

setNonBlocking(copyFd)
console.log(`F_SETFL on the dup: ${flags(copyFd)}, and on the first: ${flags(clientFd)}`)
// #endregion dup

// #region close
close(clientFd)
console.log(`one of two closed, and the peer: ${received(serverFd)}`)
close(copyFd)
console.log(`the last one closed, and the peer: ${recv(serverFd, Buffer.alloc(1), 1, 0)}`)
// #endregion close
for (const fd of [serverFd, listenFd]) close(fd)

function link(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}

/** The flags in octal, those of the open file with O_CLOEXEC of the descriptor. proc(5) */
function flags(fd: number): string {
  return /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!
}

function received(fd: number): string {
  const n = tryRecv(fd, Buffer.alloc(1), 1, MSG_DONTWAIT)
  return n < 0 ? systemError('recv', n).code : `${n}`
}
