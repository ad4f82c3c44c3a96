// What of a multicast stays on the host that sends it, and what
// leaves. Two hosts with a cable between them, each a network
// namespace of this program, for which it needs to be root:
// usage: unshare -Urn node multicast-two-hosts.ts, or sudo "$(which node)" multicast-two-hosts.ts

import {
  AF_INET,
  IPPROTO_IP,
  IP_ADD_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  bind,
  cable,
  close,
  if_nametoindex,
  ip_mreqn,
  network,
  recv,
  sendto,
  setInterfaceAddress,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const GROUP = '239.1.2.3'
const PORT = 5000

try {
  // #region hosts
  const here = network()
  const there = network()
  cable('eth0', here, there)
  there.within(() => setInterfaceAddress('eth0', '192.0.2.2', '255.255.255.0'))
  // The end that comes up last can send at once: see cable.
  here.within(() => setInterfaceAddress('eth0', '192.0.2.1', '255.255.255.0'))
  const memberHere = here.within(member)
  const memberThere = there.within(member)
  // #endregion hosts

  // #region send
  const group = sockaddr_in(GROUP, PORT)
  const senderFd = here.within(() => {
    const fd = socket(AF_INET, SOCK_DGRAM, 0)
    const eth0 = ip_mreqn(GROUP, '0.0.0.0', if_nametoindex('eth0'))
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, eth0)
    return fd
  })
  for (const loop of [1, 0]) {
    for (const ttl of [1, 0]) {
      setsockopt(senderFd, IPPROTO_IP, IP_MULTICAST_LOOP, loop)
      setsockopt(senderFd, IPPROTO_IP, IP_MULTICAST_TTL, ttl)
      sendto(senderFd, Buffer.from('news'), 4, 0, group)
      const found = `here ${take(memberHere)}, there ${take(memberThere)}`
      console.log(`loop ${loop}, TTL ${ttl}: ${found}`)
    }
  }
  // #endregion send

  for (const fd of [senderFd, memberHere, memberThere]) close(fd)
  here.close()
  there.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** A member of the group, on the host that calls it. */
function member(): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(200))
  // The group as address: nothing else gets in
  bind(fd, sockaddr_in(GROUP, PORT))
  const eth0 = ip_mreqn(GROUP, '0.0.0.0', if_nametoindex('eth0'))
  setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, eth0)
  return fd
}

function take(fd: number): string {
  const buf = Buffer.alloc(100)
  try {
    return `'${buf.toString('utf8', 0, recv(fd, buf, buf.length, 0))}'`
  } catch {
    return 'nothing'
  }
}
