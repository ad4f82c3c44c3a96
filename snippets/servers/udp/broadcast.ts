// One datagram to everybody on a network. This network is the
// loopback interface, 127.0.0.0/8, whose broadcast address is
// 127.255.255.255.

import {
  AF_INET,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_BROADCAST,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  bind,
  close,
  endpoint,
  getsockname,
  recv,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

// #region receivers
const first = receiver('0.0.0.0', 0)
const { port = 0 } = endpoint(getsockname(first, sockaddr_in('0.0.0.0', 0)))
const receivers = new Map([
  ['first bound to 0.0.0.0', first],
  ['second bound to 0.0.0.0', receiver('0.0.0.0', port)],
  ['bound to 127.255.255.255', receiver('127.255.255.255', port)],
  ['bound to 127.0.0.1', receiver('127.0.0.1', port)],
])
// #endregion receivers

// #region send
const senderFd = socket(AF_INET, SOCK_DGRAM, 0)
const everybody = sockaddr_in('127.255.255.255', port)
const hello = Buffer.from('is anybody there?')
try {
  sendto(senderFd, hello, hello.length, 0, everybody)
} catch (error) {
  console.log(`without SO_BROADCAST: ${(error as Error).message}`)
}
setsockopt(senderFd, SOL_SOCKET, SO_BROADCAST, 1)
console.log(`with SO_BROADCAST: ${sendto(senderFd, hello, hello.length, 0, everybody)}`)
// #endregion send

for (const [name, fd] of receivers) console.log(`${name}: ${take(fd)}`)
for (const fd of [...receivers.values(), senderFd]) close(fd)

/** A socket on that port, which others may have as well. */
function receiver(address: string, port: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(200))
  bind(fd, sockaddr_in(address, port))
  return fd
}

function take(fd: number): string {
  const buf = Buffer.alloc(100)
  try {
    return `'${buf.toString('utf8', 0, recv(fd, buf, buf.length, 0))}'`
  } catch {
    return 'nothing in 200 ms'
  }
}
