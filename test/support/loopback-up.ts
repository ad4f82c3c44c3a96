// Brings the loopback interface up, as `ip link set lo up` does: in a new network namespace it is down, and a bare machine may
// lack `ip`. It runs there before the program that is to find it up. netdevice(7)

import { AF_INET, SOCK_DGRAM, close, ioctl, socket } from '#posix'

const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 0x1

const ifreq = Buffer.alloc(40) // struct ifreq: the interface's name in 16 bytes, then what the request is about
ifreq.write('lo', 0, 'latin1')
const flags = new Uint16Array(ifreq.buffer, ifreq.byteOffset + 16, 1)

const fd = socket(AF_INET, SOCK_DGRAM, 0) // any socket will do to ask on
ioctl(fd, SIOCGIFFLAGS, ifreq)
if ((flags[0]! & IFF_UP) === 0) {
  flags[0]! |= IFF_UP
  ioctl(fd, SIOCSIFFLAGS, ifreq)
}
close(fd)
