// A server that adds amounts, wrong on purpose: it takes what fits
// into its buffer for the message.
// usage: node cut-short.broken.ts PORT

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
const addr = sockaddr_in('127.0.0.1', Number(port))
const fd = socket(AF_INET, SOCK_DGRAM, 0)
bind(fd, addr)
writeSync(1, `listening on ${format(getsockname(fd, addr))}\n`)

// #region sum
const buffer = Buffer.alloc(20)
const peer = sockaddr_in('0.0.0.0', 0)
for (;;) {
  const length = recvfrom(fd, buffer, buffer.length, 0, peer)
  const amounts = buffer.toString('latin1', 0, length).split(' ').map(Number)
  const total = Buffer.from(`${amounts.length} amounts, ${amounts.reduce((sum, n) => sum + n, 0)}`)
  sendto(fd, total, total.length, 0, peer)
}
// #endregion sum
