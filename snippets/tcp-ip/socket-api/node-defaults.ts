// What node:net sets on its sockets, read from their descriptors.
// `_handle` is no part of Node's documented interface.

import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import {
  AF_INET,
  FD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  IPPROTO_TCP,
  O_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  TCP_NODELAY,
  close,
  fcntl,
  getsockoptInt,
  socket,
} from '#posix'

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const accepted = once(server, 'connection')
const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
await once(client, 'connect')
const [connection] = (await accepted) as [Socket]

const plainFd = socket(AF_INET, SOCK_STREAM, 0)
const fds = [plainFd, fdOf(server), fdOf(connection), fdOf(client)]
const row = (name: string, value: (fd: number) => number): void => {
  console.log(
    name.padEnd(15) +
      fds
        .map((fd) => String(value(fd)).padEnd(12))
        .join('')
        .trimEnd(),
  )
}
console.log('               socket()    server      connection  client')
row('O_NONBLOCK', (fd) => Number((fcntl(fd, F_GETFL) & O_NONBLOCK) !== 0))
row('FD_CLOEXEC', (fd) => fcntl(fd, F_GETFD) & FD_CLOEXEC)
row('SO_REUSEADDR', (fd) => getsockoptInt(fd, SOL_SOCKET, SO_REUSEADDR))
row('SO_ACCEPTCONN', (fd) => getsockoptInt(fd, SOL_SOCKET, SO_ACCEPTCONN))
row('SO_KEEPALIVE', (fd) => getsockoptInt(fd, SOL_SOCKET, SO_KEEPALIVE))
row('TCP_NODELAY', (fd) => getsockoptInt(fd, IPPROTO_TCP, TCP_NODELAY))

close(plainFd)
client.destroy()
connection.destroy()
server.close()

function fdOf(owner: Server | Socket): number {
  return (owner as unknown as { _handle: { fd: number } })._handle.fd
}
