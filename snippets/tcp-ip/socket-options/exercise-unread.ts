// A close that resets the connection without SO_LINGER, and how to avoid it.
// usage: node exercise-unread.ts

import {
  AF_INET,
  SHUT_WR,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  recv,
  send,
  shutdown,
  sockaddr_in,
  socket,
} from '#posix'

const buf = Buffer.alloc(16)
for (const orderly of [false, true]) {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  bind(listenFd, sockaddr_in('127.0.0.1', 0))
  listen(listenFd, 1)
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
  const connFd = accept(listenFd)

  send(clientFd, Buffer.from('hello'), 5, 0)
  recv(connFd, buf, 1, 0) // one byte of five
  if (orderly) {
    shutdown(clientFd, SHUT_WR)
    shutdown(connFd, SHUT_WR)
    while (recv(connFd, buf, buf.length, 0) > 0); // until the client has said all
  }
  close(connFd)

  let result: string
  try {
    result = recv(clientFd, buf, buf.length, 0) === 0 ? 'the end' : 'bytes'
  } catch (error) {
    result = (error as NodeJS.ErrnoException).code!
  }
  console.log(`${orderly ? 'everything was read' : 'four bytes were left unread'}: ${result}`)
  close(clientFd)
  close(listenFd)
}
