// An echo server at every address of its host, wrong on purpose:
// it answers from whichever address the kernel picks.
// usage: node wrong-address.broken.ts PORT

import { writeSync } from 'node:fs'
import {
  AF_INET,
  SOCK_DGRAM,
  bind,
  format,
  getsockname,
  recvfrom,
  sendto,
  sockaddr_in,
  socket,
} from '#posix'

const [port = ''] = process.argv.slice(2)

const addr = sockaddr_in('0.0.0.0', Number(port))
const fd = socket(AF_INET, SOCK_DGRAM, 0)
bind(fd, addr)
writeSync(1, `listening on ${format(getsockname(fd, addr))}\n`)

// #region answer
const buffer = Buffer.alloc(65_536)
const peer = sockaddr_in('0.0.0.0', 0)
for (;;) {
  // To which of our addresses was it sent?
  const length = recvfrom(fd, buffer, buffer.length, 0, peer)
  // And from which of them is this?
  sendto(fd, buffer, length, 0, peer)
}
// #endregion answer
