// Network interfaces: their numbers, and the settings that ifconfig(8) and ip(8) make. What sets
// something needs CAP_NET_ADMIN, and concerns the whole machine, or the whole network namespace.

import { sockaddr_in } from './addresses.ts'
import { close, socket } from './calls.ts'
import {
  AF_INET,
  IFF_UP,
  SIOCGIFFLAGS,
  SIOCSIFADDR,
  SIOCSIFFLAGS,
  SIOCSIFMTU,
  SIOCSIFNETMASK,
  SOCK_DGRAM,
} from './constants.ts'
import { systemError } from './errors.ts'
import { ioctl } from './options.ts'
import { cString, lastErrno, libc } from './platform.ts'

const calls = {
  if_nametoindex: libc.func('uint32_t if_nametoindex(const char *)'),
  if_indextoname: libc.func('const char *if_indextoname(uint32_t, void *)'),
}
const IFNAMSIZ = 16 // bytes of a name, its NUL among them

/** The number of an interface. Throws ENODEV (there is none of that name). if_nametoindex(3) */
export function if_nametoindex(name: string): number {
  const index = calls.if_nametoindex(cString(name)) as number
  if (index === 0) throw systemError('if_nametoindex', -lastErrno())
  return index
}

/** The name of an interface. Throws ENXIO (there is none of that number). if_indextoname(3) */
export function if_indextoname(index: number): string {
  const name = calls.if_indextoname(index, Buffer.alloc(IFNAMSIZ)) as string | null
  if (name === null) throw systemError('if_indextoname', -lastErrno())
  return name
}

/**
 * Gives an interface an IPv4 address and its network, and brings it up.
 * @param netmask such as 255.255.255.0
 * @throws ENODEV, EPERM. netdevice(7)
 */
export function setInterfaceAddress(name: string, address: string, netmask: string): void {
  request(name, (fd, ifreq) => {
    ifreq.set(sockaddr_in(address, 0), IFNAMSIZ)
    ioctl(fd, SIOCSIFADDR, ifreq)
    ifreq.set(sockaddr_in(netmask, 0), IFNAMSIZ)
    ioctl(fd, SIOCSIFNETMASK, ifreq)
  })
  setInterfaceUp(name)
}

/** Sets the length of the longest packet of an interface. Throws ENODEV, EPERM. netdevice(7) */
export function setInterfaceMtu(name: string, mtu: number): void {
  request(name, (fd, ifreq) => {
    ifreq.writeInt32LE(mtu, IFNAMSIZ)
    ioctl(fd, SIOCSIFMTU, ifreq)
  })
}

/** Brings an interface up. Throws ENODEV, EPERM. netdevice(7) */
export function setInterfaceUp(name: string): void {
  setInterfaceFlags(name, IFF_UP)
}

/** Sets flags of an interface beside those that it has. Throws ENODEV, EPERM. netdevice(7) */
export function setInterfaceFlags(name: string, flags: number): void {
  request(name, (fd, ifreq) => {
    ioctl(fd, SIOCGIFFLAGS, ifreq)
    ifreq.writeUInt16LE(ifreq.readUInt16LE(IFNAMSIZ) | flags, IFNAMSIZ)
    ioctl(fd, SIOCSIFFLAGS, ifreq)
  })
}

/** Any socket will do to ask on. struct ifreq has 40 bytes: the name, then what it is about. */
function request(name: string, ask: (fd: number, ifreq: Buffer) => void): void {
  if (Buffer.byteLength(name) >= IFNAMSIZ) {
    throw new RangeError(`a name of an interface has at most ${IFNAMSIZ - 1} bytes: ${name}`)
  }
  const ifreq = Buffer.alloc(40)
  ifreq.write(cString(name))
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  try {
    ask(fd, ifreq)
  } finally {
    close(fd)
  }
}
