// Wrong on purpose: the numbers of BSD, macOS and Windows, used on Linux.
// usage: node borrowed-number.broken.ts

import {
  AF_INET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_REUSEADDR,
  close,
  getsockoptInt,
  setsockopt,
  socket,
} from '#posix'

// #region numbers
// sys/socket.h of FreeBSD
const bsd = {
  SOL_SOCKET: 0xffff,
  SO_ACCEPTCONN: 0x0002,
  SO_REUSEADDR: 0x0004,
  SO_KEEPALIVE: 0x0008,
  SO_SNDLOWAT: 0x1003,
  SO_RCVLOWAT: 0x1004,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
} as const
// #endregion numbers

const fd = socket(AF_INET, SOCK_STREAM, 0)

for (const [name, number] of Object.entries(bsd)) {
  if (name === 'SOL_SOCKET') continue
  const theirs = attempt(() => getsockoptInt(fd, bsd.SOL_SOCKET, number))
  const ours = attempt(() => getsockoptInt(fd, SOL_SOCKET, number))
  const known = String(ours).startsWith('E') ? ours : 'a value'
  console.log(`${name} as ${number}: at level 0xffff ${theirs}, at level 1 ${known}`)
}

// #region harm
setsockopt(fd, SOL_SOCKET, bsd.SO_KEEPALIVE, 1) // no error
console.log(`SO_KEEPALIVE is ${getsockoptInt(fd, SOL_SOCKET, SO_KEEPALIVE)}`)
console.log(`SO_RCVBUF is ${getsockoptInt(fd, SOL_SOCKET, SO_RCVBUF)}`)

setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
console.log(`"SO_ACCEPTCONN" is ${getsockoptInt(fd, SOL_SOCKET, bsd.SO_ACCEPTCONN)}`)
// #endregion harm
close(fd)

function attempt(call: () => number): number | string {
  try {
    return call()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}
