// Wrong on purpose: a loop of recv that does not know the end of the
// stream.

import {
  AF_INET,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  recv,
  send,
  sockaddr_in,
  socket,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, addr)
const connFd = accept(listenFd)

send(clientFd, Buffer.from('hello'), 5, 0)
close(clientFd) // the client is done

// #region loop
const buf = Buffer.alloc(100)
for (;;) {
  const received = recv(connFd, buf, buf.length, 0) // 0 from here on, at once, for ever
  console.log(`received ${received}: '${buf.toString('utf8', 0, received)}'`)
}
// #endregion loop
