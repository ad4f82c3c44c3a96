// What a raw socket has of the table, and the two options that only a raw socket has.
// usage: node raw-options.ts (needs CAP_NET_RAW: unshare -Urn node raw-options.ts)

import {
  AF_INET,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IP_HDRINCL,
  IP_TOS,
  SOCK_RAW,
  SOL_SOCKET,
  SO_BROADCAST,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_TYPE,
  TCP_NODELAY,
  close,
  getsockoptInt,
  setsockopt,
  socket,
} from '#posix'

const ICMP_FILTER = 1 // at the level IPPROTO_RAW; raw(7), linux/icmp.h

const options = {
  SO_TYPE: [SOL_SOCKET, SO_TYPE],
  SO_KEEPALIVE: [SOL_SOCKET, SO_KEEPALIVE],
  SO_REUSEADDR: [SOL_SOCKET, SO_REUSEADDR],
  SO_BROADCAST: [SOL_SOCKET, SO_BROADCAST],
  TCP_NODELAY: [IPPROTO_TCP, TCP_NODELAY],
  IP_TOS: [IPPROTO_IP, IP_TOS],
  IP_HDRINCL: [IPPROTO_IP, IP_HDRINCL],
  ICMP_FILTER: [IPPROTO_RAW, ICMP_FILTER],
} as const

for (const [kind, protocol] of Object.entries({ IPPROTO_ICMP, IPPROTO_RAW })) {
  let fd: number
  try {
    fd = socket(AF_INET, SOCK_RAW, protocol)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
  // #region set
  console.log(`a raw socket for ${kind}`)
  for (const [name, [level, number]] of Object.entries(options)) {
    const before = attempt(() => getsockoptInt(fd, level, number))
    const after = attempt(() => {
      setsockopt(fd, level, number, 1)
      return getsockoptInt(fd, level, number)
    })
    console.log(`  ${name}: ${before}, after setting 1: ${after}`)
  }
  // #endregion set
  close(fd)
}

function attempt(call: () => number): number | string {
  try {
    return call()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}
