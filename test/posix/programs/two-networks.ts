// Makes two networks with a cable between them, and prints what it finds there.

import { readFileSync, readlinkSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_IP,
  IP_MTU,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  bind,
  cable,
  close,
  connect,
  getsockname,
  getsockoptInt,
  network,
  recv,
  sendto,
  setInterfaceAddress,
  setInterfaceMtu,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const namespace = (): string => readlinkSync('/proc/thread-self/ns/net')
const interfaces = (): string[] =>
  readFileSync('/proc/thread-self/net/dev', 'latin1')
    .split('\n')
    .flatMap((line) => /^\s*(\w+):/.exec(line)?.[1] ?? [])
    .filter((name) => name === 'lo' || name === 'eth0') // some kernels put tunnels into every network
    .sort()

const before = namespace()
const [a, b] = [network(), network()]
const found = [a.within(interfaces)]
cable('eth0', a, b)
found.push(a.within(interfaces), b.within(interfaces))

b.within(() => setInterfaceAddress('eth0', '192.0.2.2', '255.255.255.0'))
a.within(() => {
  setInterfaceMtu('eth0', 1400)
  setInterfaceAddress('eth0', '192.0.2.1', '255.255.255.0')
})

const receiverFd = b.within(() => {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(fd, sockaddr_in('192.0.2.2', 0))
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(5000))
  return fd
})
const receiver = getsockname(receiverFd, sockaddr_in('0.0.0.0', 0))
const senderFd = a.within(() => socket(AF_INET, SOCK_DGRAM, 0))
const text = Buffer.from('through the cable')
sendto(senderFd, text, text.length, 0, receiver)
const buf = Buffer.alloc(100)
const received = buf.toString('utf8', 0, recv(receiverFd, buf, 100, 0))
connect(senderFd, receiver)
const mtu = getsockoptInt(senderFd, IPPROTO_IP, IP_MTU)

let again = ''
try {
  cable('eth0', a, b)
} catch (error) {
  again = (error as Error).message
}
console.log(JSON.stringify({ interfaces: found, home: namespace() === before, mtu, received, again }))
for (const fd of [receiverFd, senderFd]) close(fd)
a.close()
b.close()
