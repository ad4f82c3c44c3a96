// A datagram of ten bytes and room for four: three ways to notice,
// and two ways to know before.

import {
  AF_INET,
  FIONREAD,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  bind,
  close,
  getsockname,
  ioctl,
  recv,
  recvmsg,
  sendto,
  sockaddr_in,
  socket,
} from '#posix'

const receiverFd = socket(AF_INET, SOCK_DGRAM, 0)
bind(receiverFd, sockaddr_in('127.0.0.1', 0))
const receiver = getsockname(receiverFd, sockaddr_in('127.0.0.1', 0))
const senderFd = socket(AF_INET, SOCK_DGRAM, 0)
const room = Buffer.alloc(4)

// #region after
put('0123456789')
const silently = recv(receiverFd, room, 4, 0)
console.log(`recv: ${silently}, '${room}'`)

put('0123456789')
const length = recv(receiverFd, room, 4, MSG_TRUNC)
console.log(`recv with MSG_TRUNC: ${length}, '${room}'`)

put('0123456789')
const message = { name: null, data: room, control: null, flags: 0 }
const received = recvmsg(receiverFd, message, 0)
const cut = (message.flags & MSG_TRUNC) !== 0
console.log(`recvmsg: ${received}, '${room}', MSG_TRUNC among its flags: ${cut}`)
// #endregion after

// #region before
put('0123456789')
// It looks, and leaves the datagram there.
const waiting = recv(receiverFd, room, 0, MSG_PEEK | MSG_TRUNC)
console.log(`recv of 0 bytes with MSG_PEEK and MSG_TRUNC: ${waiting}`)
const enough = Buffer.alloc(waiting)
recv(receiverFd, enough, waiting, 0)
console.log(`recv of ${waiting}: '${enough}'`)

put('0123456789')
console.log(`FIONREAD: ${nextLength()}`)
recv(receiverFd, enough, 10, 0)
put('')
console.log(`FIONREAD, and an empty datagram is there: ${nextLength()}`)
recv(receiverFd, enough, 10, 0)
console.log(`FIONREAD, and nothing is there: ${nextLength()}`)
// #endregion before

close(senderFd)
close(receiverFd)

function put(text: string): void {
  sendto(senderFd, Buffer.from(text), text.length, 0, receiver)
  recv(receiverFd, room, 0, MSG_PEEK) // waits until it is there
}

function nextLength(): number {
  const int = new Int32Array(1)
  ioctl(receiverFd, FIONREAD, new Uint8Array(int.buffer))
  return int[0]!
}
