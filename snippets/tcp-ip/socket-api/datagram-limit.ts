// Finds the longest datagram that can be sent, by halving the gap
// between a length that works and one that does not.
// usage: node datagram-limit.ts [ADDRESS]

import { isIP } from 'node:net'
import {
  EMSGSIZE,
  SOCK_DGRAM,
  bind,
  close,
  family,
  getsockname,
  recv,
  sockaddr,
  socket,
  systemError,
  trySendto,
} from '#posix'

const [address = '127.0.0.1'] = process.argv.slice(2)
if (isIP(address) === 0) {
  console.error('usage: node datagram-limit.ts [ADDRESS]')
  process.exit(2)
}

try {
  const addr = sockaddr(address, 0)
  const fd = socket(family(addr), SOCK_DGRAM, 0)
  bind(fd, addr)
  getsockname(fd, addr) // it sends to itself
  const buf = Buffer.alloc(100_000)

  /** What sendto says to a datagram of that length: the length, or a negative errno. */
  const attempt = (length: number): number => {
    const sent = trySendto(fd, buf, length, 0, addr)
    if (sent >= 0) recv(fd, buf, buf.length, 0) // makes room for the next
    else if (sent !== -EMSGSIZE) throw systemError('sendto', sent, addr)
    return sent
  }

  // #region search
  let works = 0
  let fails = buf.length
  while (fails - works > 1) {
    const length = Math.floor((works + fails) / 2)
    if (attempt(length) === length) works = length
    else fails = length
  }
  console.log(`${works} bytes: sendto returns ${attempt(works)}`)
  console.log(`${fails} bytes: ${systemError('sendto', attempt(fails)).message}`)
  // #endregion search

  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
