// Which of this host's settings the buffers of a new socket have.

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
  socket,
} from '#posix'

// #region begin
begins('stream', SOCK_STREAM, 'SO_RCVBUF', SO_RCVBUF, 'net.ipv4.tcp_rmem', 1)
begins('stream', SOCK_STREAM, 'SO_SNDBUF', SO_SNDBUF, 'net.ipv4.tcp_wmem', 1)
begins('datagram', SOCK_DGRAM, 'SO_RCVBUF', SO_RCVBUF, 'net.core.rmem_default', 0)
begins('datagram', SOCK_DGRAM, 'SO_SNDBUF', SO_SNDBUF, 'net.core.wmem_default', 0)

function begins(
  kind: string,
  type: number,
  name: string,
  option: number,
  sysctl: string,
  place: number,
): void {
  const fd = socket(AF_INET, type, 0)
  const size = getsockoptInt(fd, SOL_SOCKET, option)
  close(fd)
  const setting = read(sysctl)[place]
  const where = place === 0 ? sysctl : `${sysctl}, the second number`
  console.log(
    `${kind}, ${name}: ${size === setting ? `as in ${where}` : `${size}, not ${setting}`}`,
  )
}
// #endregion begin

function read(name: string): number[] {
  const text = readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1')
  return text.trim().split(/\s+/).map(Number)
}
