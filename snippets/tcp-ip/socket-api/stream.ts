// A byte stream has no boundaries: three sends, one recv. Both ends of
// the connection are in this process.

import {
  AF_INET,
  MSG_PEEK,
  MSG_WAITALL,
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

// #region connect
const addr = sockaddr_in('127.0.0.1', 0) // port 0: any free one
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 1)
getsockname(listenFd, addr) // now with the port that bind chose

const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, addr)
console.log('connect has returned, and nobody has called accept')
const connFd = accept(listenFd)
console.log('accept has returned')
// #endregion connect

const buf = Buffer.alloc(100)

// #region three-sends
for (const text of ['a', 'b', 'c']) {
  console.log(`send '${text}': ${send(clientFd, Buffer.from(text), 1, 0)}`)
}
// Looks at the bytes without taking them, and waits for the third.
// Without this line the next recv might come too early, and give 'a' or
// 'ab': that is allowed too.
recv(connFd, buf, 3, MSG_PEEK | MSG_WAITALL)
take(100)
// #endregion three-sends

// #region one-send
console.log(`send 'hello': ${send(clientFd, Buffer.from('hello'), 5, 0)}`)
recv(connFd, buf, 5, MSG_PEEK | MSG_WAITALL)
take(2)
take(100)
// #endregion one-send

// #region nothing
console.log(`send '': ${send(clientFd, Buffer.alloc(0), 0, 0)}`)
console.log(`send 'd': ${send(clientFd, Buffer.from('d'), 1, 0)}`)
take(100)
// #endregion nothing

// #region end
shutdown(clientFd, SHUT_WR)
console.log('shutdown: the client sends no more')
take(100)
take(100)
// #endregion end

close(clientFd)
close(connFd)
close(listenFd)

/** One recv of at most `len` bytes. */
function take(len: number): void {
  const received = recv(connFd, buf, len, 0)
  console.log(`recv at most ${len}: ${received}, '${buf.toString('utf8', 0, received)}'`)
}
