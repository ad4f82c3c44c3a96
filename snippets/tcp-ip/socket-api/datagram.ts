// Datagrams keep their boundaries: one sendto, one recvfrom. Both
// sockets are in this process.

import {
  AF_INET,
  MSG_TRUNC,
  SOCK_DGRAM,
  bind,
  close,
  endpoint,
  getsockname,
  recvfrom,
  sendto,
  sockaddr_in,
  sockaddr_storage,
  socket,
} from '#posix'

// #region sockets
// No listen, no connect, no accept: a socket with an address can send
// to any other and receive from any other.
const receiverFd = socket(AF_INET, SOCK_DGRAM, 0)
bind(receiverFd, sockaddr_in('127.0.0.1', 0))
const receiver = getsockname(receiverFd, sockaddr_storage()).subarray(0, 16)

const senderFd = socket(AF_INET, SOCK_DGRAM, 0) // the first sendto will give it a port
// #endregion sockets

const buf = Buffer.alloc(100)
const from = sockaddr_storage()

// #region boundaries
put('abc')
put('')
put('de')
take(100, 0)
take(100, 0)
take(100, 0)
// #endregion boundaries

// #region truncation
put('0123456789')
put('next')
take(4, 0)
take(100, 0)
put('0123456789')
take(4, MSG_TRUNC)
// #endregion truncation

const sender = getsockname(senderFd, sockaddr_storage())
console.log(`recvfrom named the sender: ${endpoint(from).port === endpoint(sender).port}`)

close(senderFd)
close(receiverFd)

function put(text: string): void {
  const sent = sendto(senderFd, Buffer.from(text), text.length, 0, receiver)
  console.log(`sendto '${text}': ${sent}`)
}

function take(len: number, flags: number): void {
  const received = recvfrom(receiverFd, buf, len, flags, from)
  const text = buf.toString('utf8', 0, Math.min(received, len))
  const how = flags === MSG_TRUNC ? ', MSG_TRUNC' : ''
  console.log(`recvfrom at most ${len}${how}: ${received}, '${text}'`)
}
