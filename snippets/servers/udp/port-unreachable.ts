// What becomes of a datagram for a port that nobody has, and who
// is told.

import {
  AF_INET,
  IPPROTO_IP,
  IP_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  POLLIN,
  SOCK_DGRAM,
  bind,
  close,
  cmsgs,
  connect,
  format,
  getsockname,
  poll,
  pollfds,
  recv,
  recvmsg,
  send,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
} from '#posix'

// A port that is not in use
const nobody = sockaddr_in('127.0.0.1', 1)
const hello = Buffer.from('hello')
const buf = Buffer.alloc(100)

// #region unconnected
console.log('not connected:')
const plainFd = socket(AF_INET, SOCK_DGRAM, 0)
attempt('sendto', () => sendto(plainFd, hello, 5, 0, nobody))
attempt('sendto', () => sendto(plainFd, hello, 5, 0, nobody))
wait(plainFd, 100)
attempt('recv', () => recv(plainFd, buf, 100, MSG_DONTWAIT))
// #endregion unconnected

// #region connected
console.log('\nconnected:')
const connectedFd = socket(AF_INET, SOCK_DGRAM, 0)
connect(connectedFd, nobody) // succeeds: it sends nothing
attempt('send', () => send(connectedFd, hello, 5, 0))
wait(connectedFd, 2000)
// It tells, and forgets.
attempt('recv', () => recv(connectedFd, buf, 100, MSG_DONTWAIT))
attempt('recv', () => recv(connectedFd, buf, 100, MSG_DONTWAIT))
attempt('send', () => send(connectedFd, hello, 5, 0))
wait(connectedFd, 2000)
// This one fails for the one before, and sends nothing.
attempt('send', () => send(connectedFd, hello, 5, 0))
attempt('send', () => send(connectedFd, hello, 5, 0))
// #endregion connected

// #region error-queue
console.log('\nnot connected, with IP_RECVERR:')
const somebodyFd = socket(AF_INET, SOCK_DGRAM, 0)
bind(somebodyFd, sockaddr_in('127.0.0.1', 0))
const somebody = getsockname(somebodyFd, sockaddr_in('127.0.0.1', 0))

const askingFd = socket(AF_INET, SOCK_DGRAM, 0)
setsockopt(askingFd, IPPROTO_IP, IP_RECVERR, 1)
attempt('sendto nobody', () => sendto(askingFd, hello, 5, 0, nobody))
wait(askingFd, 2000)
attempt('sendto somebody', () => sendto(askingFd, hello, 5, 0, somebody))

const to = sockaddr_in('0.0.0.0', 0)
const control = Buffer.alloc(128)
const returned = recvmsg(askingFd, { name: to, data: buf, control, flags: 0 }, MSG_ERRQUEUE)
for (const { level, type, data } of cmsgs(control)) {
  if (level !== IPPROTO_IP || type !== IP_RECVERR) continue
  // struct sock_extended_err: errno in 4 bytes, origin, ICMP type,
  // ICMP code
  const { code } = systemError('sendto', -data.readUInt32LE(0))
  const text = buf.toString('utf8', 0, returned)
  console.log(`error queue: ${code} for '${text}' to ${format(to)}`)
  console.log(`error queue: it was ICMP of type ${data[5]}, code ${data[6]}`)
}
attempt('sendto somebody', () => sendto(askingFd, hello, 5, 0, somebody))
// #endregion error-queue

for (const fd of [plainFd, connectedFd, somebodyFd, askingFd]) close(fd)

/** Makes the call, and prints what it returns or how it fails. */
function attempt(what: string, call: () => number): void {
  try {
    console.log(`${what}: ${call()}`)
  } catch (error) {
    console.log(`${what}: ${(error as Error).message}`)
  }
}

/**
 * Waits until the socket has something to tell, an error for one.
 */
function wait(fd: number, milliseconds: number): void {
  const places = pollfds(1)
  places.set(0, fd, POLLIN)
  poll(places, 1, milliseconds)
}
