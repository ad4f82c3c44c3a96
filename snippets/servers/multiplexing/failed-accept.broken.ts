// Wrong on purpose: takes what accept returns for a descriptor, whatever it is.
// usage: node failed-accept.broken.ts PORT

import {
  AF_INET,
  FD_ISSET,
  FD_SET,
  FD_ZERO,
  SOCK_STREAM,
  SOMAXCONN,
  bind,
  close,
  fd_set,
  format,
  getsockname,
  listen,
  recv,
  select,
  send,
  sockaddr_in,
  socket,
  tryAccept,
} from '#posix'

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

const buffer = Buffer.alloc(256)

const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, SOMAXCONN)
console.log(`listening on ${format(getsockname(listenFd, addr))}`)

const watched = new Set([listenFd])
const readfds = fd_set()
for (;;) {
  FD_ZERO(readfds)
  for (const fd of watched) FD_SET(fd, readfds)
  select(Math.max(...watched) + 1, readfds, null, null, null)
  for (const fd of [...watched].filter((fd) => FD_ISSET(fd, readfds))) {
    if (fd === listenFd) watched.add(tryAccept(listenFd, undefined, 0))
    else if (!echo(fd)) {
      watched.delete(fd)
      close(fd)
    }
  }
}

function echo(fd: number): boolean {
  const received = recv(fd, buffer, buffer.length, 0)
  if (received > 0) send(fd, buffer, received, 0)
  return received > 0
}
