// An echo server that may be bound to every address of its host,
// and answers from the one at which it was asked.
// usage: node right-address.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVPKTINFO,
  IP_PKTINFO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  type SystemError,
  bind,
  cmsg,
  cmsgs,
  family,
  format,
  getsockname,
  inet_ntop,
  recvmsg,
  sendmsg,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const [port = '', host = '0.0.0.0'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node right-address.ts PORT [HOST]')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_DGRAM | SOCK_CLOEXEC, 0)
  const isIPv6 = family(addr) === AF_INET6

  // #region ask
  // Tell with each datagram at which address it has arrived.
  if (isIPv6) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
  else setsockopt(fd, IPPROTO_IP, IP_PKTINFO, 1)
  // #endregion ask
  bind(fd, addr)
  log(`listening on ${format(getsockname(fd, addr))}`)

  // #region answer
  const buffer = Buffer.alloc(65_536)
  const peer = sockaddr(host, 0)
  const control = Buffer.alloc(64)
  const type = isIPv6 ? IPV6_PKTINFO : IP_PKTINFO
  for (;;) {
    const length = recvmsg(fd, { name: peer, data: buffer, control, flags: 0 }, 0)
    const arrival = cmsgs(control).find((one) => one.type === type)
    if (arrival === undefined) throw new Error('no PKTINFO came with a datagram')
    log(`${length} bytes from ${format(peer)} to ${local(arrival.data)}`)
    try {
      // The same message says, on its way back, from where to
      // send.
      const data = buffer.subarray(0, length)
      sendmsg(fd, { name: peer, data, control: cmsg(arrival), flags: 0 }, 0)
    } catch (error) {
      if ((error as SystemError).syscall === undefined) throw error
      log((error as SystemError).message)
    }
  }
  // #endregion answer
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/**
 * Our address in struct in_pktinfo (number of the interface, our address, the header's destination)
 * or in6_pktinfo (our address, number of the interface). ip(7), ipv6(7)
 */
function local(pktinfo: Buffer): string {
  return pktinfo.length === 12
    ? inet_ntop(AF_INET, pktinfo.subarray(4, 8))
    : inet_ntop(AF_INET6, pktinfo.subarray(0, 16))
}

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
