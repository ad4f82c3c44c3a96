// What has left this machine, and what the other side has not acknowledged yet.

import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TIOCOUTQ,
  accept,
  bind,
  close,
  connect,
  getsockname,
  ioctl,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  tryRecv,
  trySend,
} from '#posix'

const buf = Buffer.alloc(65_536)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, 16_384)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 1)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
const serverFd = accept(listenFd)

let sent = 0
for (let n = 1; n > 0;) {
  n = trySend(clientFd, buf, buf.length, MSG_DONTWAIT)
  if (n > 0) sent += n
}
console.log(`after send: ${unacknowledged() > 0 ? 'a part waits' : 'nothing waits'}`)

let read = 0
while (read < sent) read += tryRecv(serverFd, buf, buf.length, 0)
while (unacknowledged() > 0); // the last acknowledgement may be on its way
console.log('after the server has read it: nothing waits')
for (const fd of [clientFd, serverFd, listenFd]) close(fd)

// #region unacknowledged
/** How many bytes of what was sent have no acknowledgement. tcp(7) */
function unacknowledged(): number {
  const bytes = Buffer.alloc(4)
  ioctl(clientFd, TIOCOUTQ, bytes)
  return bytes.readInt32LE()
}
// #endregion unacknowledged
