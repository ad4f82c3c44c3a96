// Wrong on purpose: takes what one recv returns for what one send was
// given.

import {
  AF_INET,
  MSG_PEEK,
  MSG_WAITALL,
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

const buf = Buffer.alloc(100)
for (const command of ['LOGIN ann', 'QUIT']) {
  send(clientFd, Buffer.from(command), command.length, 0)
  console.log(`sent '${command}'`)
}
// A server that is busy: both are there when it comes to look.
recv(connFd, buf, 13, MSG_PEEK | MSG_WAITALL)

// #region one-recv
// One recv, one command?
const command = buf.toString('utf8', 0, recv(connFd, buf, buf.length, 0))
// #endregion one-recv
if (command === 'LOGIN ann') console.log('ann has logged in')
else {
  console.error(`unknown command '${command}'`)
  process.exitCode = 1
}

for (const fd of [clientFd, connFd, listenFd]) close(fd)
