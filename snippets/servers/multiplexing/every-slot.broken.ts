// Wrong on purpose: puts a new connection into every slot that is free.
// usage: node every-slot.broken.ts PORT

import {
  AF_INET,
  FD_ISSET,
  FD_SET,
  FD_ZERO,
  SOCK_STREAM,
  SOMAXCONN,
  accept,
  bind,
  fd_set,
  format,
  getsockname,
  listen,
  recv,
  select,
  send,
  sockaddr_in,
  socket,
} from '#posix'

const GREETING = Buffer.from('Welcome to server!\n')
const FREE = -1
const buffer = Buffer.alloc(256)

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const slots = [listenFd, FREE, FREE, FREE]
const readfds = fd_set()
for (;;) {
  FD_ZERO(readfds)
  for (const fd of slots) if (fd !== FREE) FD_SET(fd, readfds)
  select(Math.max(...slots) + 1, readfds, null, null, null)
  for (let i = 0; i < slots.length; i++) {
    const fd = slots[i]!
    if (fd === FREE || !FD_ISSET(fd, readfds)) continue
    if (fd === listenFd) add(accept(listenFd))
    else send(fd, buffer, recv(fd, buffer, buffer.length, 0), 0)
  }
}

function add(connFd: number): void {
  send(connFd, GREETING, GREETING.length, 0)
  for (let i = 0; i < slots.length; i++) {
    if (slots[i] === FREE) slots[i] = connFd // and on to the next one
  }
}
