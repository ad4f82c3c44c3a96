// What becomes of a size that is set: it is doubled, and has a floor and a cap.

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_SNDBUF,
  close,
  getsockoptInt,
  setsockopt,
  socket,
} from '#posix'

const types = { stream: SOCK_STREAM, datagram: SOCK_DGRAM }
const options = { SO_RCVBUF, SO_SNDBUF }
const caps = { SO_RCVBUF: 'net.core.rmem_max', SO_SNDBUF: 'net.core.wmem_max' }

// #region sizes
console.log('option | socket | set to 0 | 5000 | 20000 | 1 GiB')
for (const [name, option] of Object.entries(options)) {
  const cap = caps[name as keyof typeof caps]
  for (const [kind, type] of Object.entries(types)) {
    const read = [0, 5000, 20_000, 2 ** 30].map((size) => {
      const value = readBack(type, option, size)
      return value === 2 * sysctl(cap) ? `2 × ${cap}` : String(value)
    })
    console.log([name, kind, ...read].join(' | '))
  }
}
// #endregion sizes

function readBack(type: number, option: number, size: number): number {
  const fd = socket(AF_INET, type, 0)
  setsockopt(fd, SOL_SOCKET, option, size)
  const value = getsockoptInt(fd, SOL_SOCKET, option)
  close(fd)
  return value
}

function sysctl(name: string): number {
  return Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1'))
}
