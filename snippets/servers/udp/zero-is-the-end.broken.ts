// An echo server, wrong on purpose: it takes a datagram without
// bytes for the end of something.
// usage: node zero-is-the-end.broken.ts PORT

import { writeSync } from 'node:fs'
import {
  AF_INET,
  SOCK_DGRAM,
  bind,
  close,
  format,
  getsockname,
  recvfrom,
  sendto,
  sockaddr_in,
  socket,
} from '#posix'

const [port = ''] = process.argv.slice(2)
const addr = sockaddr_in('127.0.0.1', Number(port))
const fd = socket(AF_INET, SOCK_DGRAM, 0)
bind(fd, addr)
writeSync(1, `listening on ${format(getsockname(fd, addr))}\n`)

// #region loop
const buffer = Buffer.alloc(65_536)
const peer = sockaddr_in('0.0.0.0', 0)
for (;;) {
  const length = recvfrom(fd, buffer, buffer.length, 0, peer)
  if (length === 0) break // right for TCP
  sendto(fd, buffer, length, 0, peer)
}
// #endregion loop
close(fd)
