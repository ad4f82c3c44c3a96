// Wrong on purpose: a closed descriptor keeps its slot, and -1 is taken for success.
// usage: node stale-slot.broken.ts PORT

import {
  AF_INET,
  FD_ISSET,
  FD_SET,
  FD_ZERO,
  SOCK_STREAM,
  SOMAXCONN,
  accept,
  bind,
  close,
  fd_set,
  format,
  getsockname,
  listen,
  recv,
  send,
  sockaddr_in,
  socket,
  trySelect,
} from '#posix'

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
  if (trySelect(Math.max(...slots) + 1, readfds, null, null, null) === 0) continue
  for (let i = 0; i < slots.length; i++) {
    const fd = slots[i]!
    if (fd === FREE || !FD_ISSET(fd, readfds)) continue
    if (fd === listenFd) slots[slots.indexOf(FREE)] = accept(listenFd)
    else if (!echo(fd)) {
      close(fd) // but its number is still in slots[i]
      console.log(`closed fd ${fd}`)
    }
  }
}

function echo(fd: number): boolean {
  const received = recv(fd, buffer, buffer.length, 0)
  if (received > 0) send(fd, buffer, received, 0)
  return received > 0
}
