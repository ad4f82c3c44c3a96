// The options of IP are fields of the header: sets them on a UDP socket, and reads the
// header.
// usage: node ip-header.ts (needs CAP_NET_RAW: unshare -Urn node ip-header.ts, with lo
// up)

import {
  AF_INET,
  IPPROTO_IP,
  IPPROTO_RAW,
  IPPROTO_UDP,
  IP_HDRINCL,
  IP_MTU_DISCOVER,
  IP_OPTIONS,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_DONT,
  IP_TOS,
  IP_TTL,
  SOCK_DGRAM,
  SOCK_RAW,
  bind,
  close,
  getsockname,
  getsockoptInt,
  inet_ntop,
  recv,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

try {
  // #region sockets
  const rawFd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP) // a copy of each UDP packet, with its header
  const receiverFd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(receiverFd, sockaddr_in('127.0.0.1', 0))
  const addr = getsockname(receiverFd, sockaddr_in('127.0.0.1', 0))
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  // #endregion sockets

  const buf = Buffer.alloc(100)
  const show = (what: string): void => {
    recv(rawFd, buf, buf.length, 0)
    const [tos, ttl, dontFragment] = [buf[1]!, buf[8]!, (buf[6]! & 0x40) !== 0]
    const options = (buf[0]! & 0xf) * 4 - 20
    console.log(
      `${what}: TOS 0x${tos.toString(16)}, TTL ${ttl}, ` +
        `DF ${dontFragment ? 1 : 0}, ${options} bytes of options`,
    )
  }

  // #region set
  setsockopt(fd, IPPROTO_IP, IP_TTL, 64)
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
  sendto(fd, Buffer.from('x'), 1, 0, addr)
  show('at first')

  setsockopt(fd, IPPROTO_IP, IP_TOS, 0xb8) // expedited forwarding, RFC 3246
  setsockopt(fd, IPPROTO_IP, IP_TTL, 3)
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
  sendto(fd, Buffer.from('x'), 1, 0, addr)
  show('IP_TOS, IP_TTL, IP_MTU_DISCOVER')

  setsockopt(fd, IPPROTO_IP, IP_OPTIONS, Uint8Array.of(1, 1, 1, 0))
  sendto(fd, Buffer.from('x'), 1, 0, addr)
  show('IP_OPTIONS')
  // #endregion set

  // #region hdrincl
  const ownFd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
  console.log(`IP_HDRINCL of IPPROTO_RAW: ${getsockoptInt(ownFd, IPPROTO_IP, IP_HDRINCL)}`)
  const packet = Buffer.alloc(20 + 8)
  packet[0] = 0x45 // version 4, five words of header
  packet[1] = 0x28
  packet[8] = 7 // TTL
  packet[9] = IPPROTO_UDP
  packet.set([127, 0, 0, 9], 12) // from: no socket has this address
  packet.set([127, 0, 0, 1], 16) // to
  addr.copy(packet, 22, 2, 4) // UDP: the destination port, and then the length; no checksum
  packet.writeUInt16BE(8, 24)
  sendto(ownFd, packet, packet.length, 0, addr)
  show('our own header')
  console.log(`it came from ${inet_ntop(AF_INET, buf.subarray(12, 16))}`)
  // #endregion hdrincl
  for (const open of [rawFd, receiverFd, fd, ownFd]) close(open)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
