// Is the wire of a host: what the host sends comes here, and what is put on the wire arrives there.

import {
  AF_INET,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  bind,
  close,
  endpoint,
  getsockname,
  packet,
  recvfrom,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
  wire,
} from '#posix'

const end = wire('192.0.2.1')
const nothing = end.receive(0) === undefined
const fd = end.host.within(() => socket(AF_INET, SOCK_DGRAM, 0))
setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(5000))
bind(fd, sockaddr_in('192.0.2.1', 0))
const { port } = endpoint(getsockname(fd, sockaddr_in('0.0.0.0', 0)))
sendto(fd, Buffer.from('ping'), 4, 0, sockaddr_in('192.0.2.2', 7))
const sent = end.receive(5000)!
const { protocol, source, destination } = packet(sent)
const data = sent.toString('utf8', 28)

// The same back, from the other to this one: addresses and ports change places, which leaves the sums as they are.
const back = Buffer.concat([
  sent.subarray(0, 12),
  sent.subarray(16, 20),
  sent.subarray(12, 16),
  sent.subarray(22, 24),
  sent.subarray(20, 22),
  sent.subarray(24),
])
back.writeUInt16BE(0, 26) // no checksum: the one there was left to the interface. RFC 768
end.deliver(back)
const buf = Buffer.alloc(100)
const from = sockaddr_in('0.0.0.0', 0)
const received = buf.toString('utf8', 0, recvfrom(fd, buf, 100, 0, from))
close(fd)
end.close()
const udp = protocol === IPPROTO_UDP
const ports = source.port === port
console.log(JSON.stringify({ nothing, udp, ports, to: destination, data, received, from: endpoint(from) }))
