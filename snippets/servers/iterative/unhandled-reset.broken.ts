// Wrong on purpose: takes a connection that has failed for a server that has failed.
// usage: node unhandled-reset.broken.ts PORT

import {
  AF_INET,
  SOCK_STREAM,
  SOMAXCONN,
  accept,
  bind,
  close,
  format,
  getsockname,
  listen,
  recv,
  send,
  sockaddr_in,
  socket,
} from '#posix'

try {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  const addr = sockaddr_in('127.0.0.1', Number(process.argv[2]))
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)

  for (;;) {
    const connFd = accept(listenFd)
    echo(connFd) // throws when the client resets ...
    close(connFd)
  }
} catch (error) {
  console.error((error as Error).message) // ... and ends up here
  process.exit(1)
}

function echo(connFd: number): void {
  const buffer = Buffer.alloc(1000)
  for (let received; (received = recv(connFd, buffer, 1000, 0)) > 0;) {
    send(connFd, buffer, received, 0)
  }
}
