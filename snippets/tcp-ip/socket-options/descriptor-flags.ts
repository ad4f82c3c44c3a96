// What is not an option: fcntl for the flags and the owner of a descriptor, ioctl for
// its queues.
// usage: node descriptor-flags.ts

import {
  AF_INET,
  EAGAIN,
  FIONBIO,
  FIONREAD,
  F_GETFL,
  F_GETOWN,
  F_SETFL,
  F_SETOWN,
  O_ASYNC,
  O_NONBLOCK,
  SOCK_DGRAM,
  SOCK_STREAM,
  TIOCOUTQ,
  bind,
  close,
  connect,
  fcntl,
  getsockname,
  ioctl,
  listen,
  sendto,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const buf = Buffer.alloc(16)
const fd = socket(AF_INET, SOCK_DGRAM, 0)
bind(fd, sockaddr_in('127.0.0.1', 0))
const addr = getsockname(fd, sockaddr_in('127.0.0.1', 0))

// #region flags
console.log(`at first: ${flags()}`)
fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
console.log(`F_SETFL: ${flags()}`)
console.log(`recv: ${tryRecv(fd, buf, buf.length, 0) === -EAGAIN ? 'EAGAIN' : 'something'}`)
ioctl(fd, FIONBIO, int(0))
console.log(`FIONBIO 0: ${flags()}`)
ioctl(fd, FIONBIO, int(1))
console.log(`FIONBIO 1: ${flags()}`)
// #endregion flags

// #region owner
console.log(`F_GETOWN: ${fcntl(fd, F_GETOWN)}`)
fcntl(fd, F_SETOWN, process.pid)
console.log(`F_GETOWN is this process: ${fcntl(fd, F_GETOWN) === process.pid}`)
fcntl(fd, F_SETFL, O_ASYNC) // not or-ed
console.log(`F_SETFL, not or-ed: ${flags()}`)
fcntl(fd, F_SETFL, 0)
// #endregion owner

// #region queues
console.log(`FIONREAD, nothing there: ${asked(fd, FIONREAD)}`)
for (const text of ['hello', '', 'good bye']) sendto(fd, Buffer.from(text), text.length, 0, addr)
for (let i = 0; i < 3; i++) {
  const next = asked(fd, FIONREAD)
  console.log(`FIONREAD: ${next}, then recv: ${tryRecv(fd, buf, buf.length, 0)}`)
}
const streamFd = socket(AF_INET, SOCK_STREAM, 0)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
bind(streamFd, sockaddr_in('127.0.0.1', 0))
listen(streamFd, 1)
connect(clientFd, getsockname(streamFd, sockaddr_in('127.0.0.1', 0)))
console.log(`TIOCOUTQ of a new connection: ${asked(clientFd, TIOCOUTQ)}`)
console.log(`FIONREAD of a listening socket: ${attempt(() => asked(streamFd, FIONREAD))}`)
// #endregion queues
for (const open of [fd, clientFd, streamFd]) close(open)

function flags(): string {
  const bits = fcntl(fd, F_GETFL)
  const names = Object.entries({ O_NONBLOCK, O_ASYNC }).filter(([, bit]) => (bits & bit) !== 0)
  return names.map(([name]) => name).join(' ') || 'neither O_NONBLOCK nor O_ASYNC'
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer)
}

/** Both requests fill an int. tcp(7), udp(7) */
function asked(fd: number, request: number): number {
  const value = new Int32Array(1)
  ioctl(fd, request, new Uint8Array(value.buffer))
  return value[0]!
}

function attempt(call: () => number): number | string {
  try {
    return call()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}
