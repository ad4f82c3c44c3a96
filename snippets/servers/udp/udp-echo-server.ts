// An echo server on UDP: sends every datagram back to where it
// came from.
// usage: node udp-echo-server.ts PORT [HOST]

import { writeSync } from 'node:fs'
import {
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  type SystemError,
  bind,
  family,
  format,
  getsockname,
  recvfrom,
  sendto,
  sockaddr,
  socket,
} from '#posix'

const buffer = Buffer.alloc(65_536) // no datagram is longer

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node udp-echo-server.ts PORT [HOST]')
  process.exit(2)
}

try {
  // #region bind
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_DGRAM | SOCK_CLOEXEC, 0)
  bind(fd, addr) // from here on the kernel keeps what arrives
  log(`listening on ${format(getsockname(fd, addr))}`)
  // #endregion bind

  // #region loop
  // Room for an address of the same family:
  const peer = sockaddr(host, 0)
  for (;;) {
    // One datagram, from anyone:
    const length = recvfrom(fd, buffer, buffer.length, 0, peer)
    log(`${length} bytes from ${format(peer)}`)
    try {
      sendto(fd, buffer, length, 0, peer)
    } catch (error) {
      // Whoever sent it may have claimed an address to which
      // nothing can be sent.
      if ((error as SystemError).syscall === undefined) throw error
      log((error as SystemError).message)
    }
  }
  // #endregion loop
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/**
 * Not console.log, which needs the event loop to turn: see 2.2.
 */
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
