// Wrong on purpose: a server that avoids TIME_WAIT by SO_LINGER with 0 seconds, and
// loses its answer.
// usage: node linger-zero.broken.ts

import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  accept,
  bind,
  close,
  connect,
  getsockname,
  linger,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'

const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, addr))

// #region answer
const connFd = accept(listenFd)
setsockopt(connFd, SOL_SOCKET, SO_LINGER, linger(true, 0)) // "so that the port is free at once"
const answer = Buffer.alloc(64 * 1024)
let sent = 0
for (let n = 0; n >= 0; n = trySend(connFd, answer, answer.length, MSG_DONTWAIT)) sent += n
close(connFd)
console.log('the server has sent all of its answer, as send said, and has closed')
// #endregion answer

// #region client
let received = 0
let n = 0
do {
  received += n
  n = tryRecv(clientFd, answer, answer.length, 0)
} while (n > 0)
console.log(received < sent ? 'a part of the answer is lost' : 'the answer is complete')
if (n < 0) {
  console.error(systemError('recv', n).message)
  process.exit(1)
}
// #endregion client
