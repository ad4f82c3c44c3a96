// A server answers before it has read everything, and closes: at once, and in order.

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
  systemError,
  tryRecv,
} from '#posix'

const buf = Buffer.alloc(1024)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))

answers('at once', (connFd) => close(connFd))

// #region in-order
answers('in order', (connFd, clientFd) => {
  shutdown(connFd, SHUT_WR) // the answer is complete
  shutdown(clientFd, SHUT_WR) // the client has nothing more to say
  while (recv(connFd, buf, buf.length, 0) > 0); // what nobody wanted
  close(connFd)
})
// #endregion in-order
close(listenFd)

// #region answers
function answers(how: string, ends: (connFd: number, clientFd: number) => void): void {
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, address)
  send(clientFd, Buffer.from('helloworld'), 10, 0)
  const connFd = accept(listenFd)
  recv(connFd, buf, 5, 0)
  send(connFd, Buffer.from('no'), 2, 0)
  ends(connFd, clientFd)
  console.log(`closed ${how}:`)
  for (let n = 1; n > 0;) {
    n = tryRecv(clientFd, buf, buf.length, 0)
    const text = n > 0 ? buf.toString('latin1', 0, n) : n
    console.log(`  recv: ${n < 0 ? systemError('recv', n).code : text}`)
  }
  close(clientFd)
}
// #endregion answers
