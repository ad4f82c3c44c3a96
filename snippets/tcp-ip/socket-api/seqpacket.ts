// A fourth kind of socket: SOCK_SEQPACKET has a connection, as a stream
// has, and keeps boundaries, as datagrams do.

import {
  AF_UNIX,
  SOCK_SEQPACKET,
  accept,
  bind,
  close,
  connect,
  listen,
  recv,
  send,
  sockaddr_un,
  socket,
} from '#posix'

// A name that starts with a zero byte makes no file; Linux only. unix(7)
const addr = sockaddr_un(`\0seqpacket-${process.pid}`)
const listenFd = socket(AF_UNIX, SOCK_SEQPACKET, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_UNIX, SOCK_SEQPACKET, 0)
connect(clientFd, addr)
const connFd = accept(listenFd)

// #region records
for (const text of ['a', 'bc', 'def']) {
  console.log(`send '${text}': ${send(clientFd, Buffer.from(text), text.length, 0)}`)
}
close(clientFd)

const buf = Buffer.alloc(100)
let received: number
do {
  received = recv(connFd, buf, buf.length, 0)
  console.log(`recv: ${received}, '${buf.toString('utf8', 0, received)}'`)
} while (received > 0)
// #endregion records

close(connFd)
close(listenFd)
