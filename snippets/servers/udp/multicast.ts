// One datagram to those who want it. On the loopback interface:
// see multicast-two-hosts.ts for a network.

import {
  AF_INET,
  IPPROTO_IP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  bind,
  close,
  endpoint,
  getsockname,
  ip_mreqn,
  recv,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

// Of those that an organisation may use as it likes, RFC 2365
const GROUP = '239.1.2.3'
const onLoopback = ip_mreqn(GROUP, '127.0.0.1')

// #region sockets
const annFd = bound(0)
const { port = 0 } = endpoint(getsockname(annFd, sockaddr_in('0.0.0.0', 0)))
const bobFd = bound(port)
const all = new Map([
  ['Ann', annFd],
  ['Bob', bobFd],
])

const senderFd = socket(AF_INET, SOCK_DGRAM, 0)
// By which interface it leaves; no route is asked.
setsockopt(senderFd, IPPROTO_IP, IP_MULTICAST_IF, onLoopback)
const group = sockaddr_in(GROUP, port)
// #endregion sockets

// #region join
round('nobody is a member')
setsockopt(annFd, IPPROTO_IP, IP_ADD_MEMBERSHIP, onLoopback)
setsockopt(bobFd, IPPROTO_IP, IP_ADD_MEMBERSHIP, onLoopback)
round('Ann and Bob are members')
setsockopt(annFd, IPPROTO_IP, IP_DROP_MEMBERSHIP, onLoopback)
round('Ann has left')
setsockopt(annFd, IPPROTO_IP, IP_MULTICAST_ALL, 0)
round('Ann has left, and wants nothing that others have joined')
close(bobFd) // a member leaves with its socket
all.delete('Bob')
round('Bob is gone')
// #endregion join

close(annFd)
close(senderFd)

/**
 * A socket that hears what arrives at any address on that port.
 */
function bound(port: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(200))
  bind(fd, sockaddr_in('0.0.0.0', port))
  return fd
}

/** Sends to the group, and prints who has received it. */
function round(when: string): void {
  const sent = sendto(senderFd, Buffer.from('news'), 4, 0, group)
  const buf = Buffer.alloc(100)
  const found = [...all].map(([name, fd]) => {
    try {
      return `${name} received ${recv(fd, buf, buf.length, 0)}`
    } catch {
      return `${name} nothing`
    }
  })
  console.log(`${when}: sent ${sent}, ${found.join(', ')}`)
}
