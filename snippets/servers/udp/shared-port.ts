// Two sockets on one port: who receives?

import {
  AF_INET,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  bind,
  close,
  connect,
  getsockname,
  poll,
  pollfds,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const CLIENTS = 32
const somebody = open()

// #region none
console.log('without an option:')
try {
  open(own(somebody))
} catch (error) {
  console.log(`another on the same port: ${(error as Error).message}`)
}
// #endregion none

// #region reuseaddr
console.log('\nSO_REUSEADDR:')
const old = open(sockaddr_in('127.0.0.1', 0), SO_REUSEADDR)
console.log(`somebody sends: ${whoReceives(somebody, { old })}`)
const young = open(own(old), SO_REUSEADDR)
console.log(`young has the port as well: ${whoReceives(somebody, { old, young })}`)
console.log(`again: ${whoReceives(somebody, { old, young })}`)

const client = open()
connect(old, own(client))
console.log(`old is connected to a client, which sends: ${whoReceives(client, { old, young })}`)
console.log(`somebody sends: ${whoReceives(somebody, { old, young })}`)
close(old)
close(young)
// #endregion reuseaddr

// #region reuseport
console.log('\nSO_REUSEPORT:')
const one = open(sockaddr_in('127.0.0.1', 0), SO_REUSEPORT)
const two = open(own(one), SO_REUSEPORT)
let faithful = 0
const reached = new Set<string>()
for (let i = 0; i < CLIENTS; i++) {
  const client = open()
  const [a, b, c] = [1, 2, 3].map(() => whoReceives(client, { one, two }))
  if (a === b && b === c) faithful++
  reached.add(a!)
  close(client)
}
console.log(`${faithful} of ${CLIENTS} clients reached the same socket three times`)
console.log(`reached by some client: ${[...reached].sort().join(', ')}`)
close(one)
close(two)
// #endregion reuseport

close(client)
close(somebody)

/**
 * A socket at that address, with an option that lets others have it
 * too.
 */
function open(addr = sockaddr_in('127.0.0.1', 0), option?: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  if (option !== undefined) setsockopt(fd, SOL_SOCKET, option, 1)
  bind(fd, addr)
  return fd
}

function own(fd: number): Buffer {
  return getsockname(fd, sockaddr_in('0.0.0.0', 0))
}

/**
 * Sends a datagram to the port that the sockets share, and returns the
 * names of those that have it.
 */
function whoReceives(senderFd: number, sockets: Record<string, number>): string {
  const fds = Object.values(sockets)
  sendto(senderFd, Buffer.from('x'), 1, 0, own(fds[0]!))
  const places = pollfds(fds.length)
  for (const [i, fd] of fds.entries()) places.set(i, fd, POLLIN)
  poll(places, fds.length, 2000)
  const buf = Buffer.alloc(1)
  const found = Object.entries(sockets).filter(([, fd]) => tryRecv(fd, buf, 1, MSG_DONTWAIT) === 1)
  return found.map(([name]) => name).join(' and ')
}
