// Tells for each port whether somebody listens there.
// usage: node exercise-port-check.ts ADDRESS PORT ...

import { isIP } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_SNDTIMEO,
  type SystemError,
  close,
  connect,
  family,
  format,
  setsockopt,
  sockaddr,
  socket,
  timeval,
} from '#posix'

const [host = '', ...ports] = process.argv.slice(2)
if (isIP(host) === 0 || ports.length === 0 || !ports.every(isPort)) {
  console.error('usage: node exercise-port-check.ts ADDRESS PORT ...')
  process.exit(2)
}

function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
}

// #region check
const meanings = new Map([
  ['ECONNREFUSED', 'closed'], // a reset came back: the host is there, and nobody listens
  ['EINPROGRESS', 'no answer'], // nothing came back in time
])

for (const port of ports) {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(500))
  try {
    connect(fd, addr)
    console.log(`${format(addr)} open`)
  } catch (error) {
    const { code } = error as SystemError
    console.log(`${format(addr)} ${meanings.get(code) ?? code}`)
  } finally {
    close(fd) // also ends the attempt that had no answer
  }
}
// #endregion check
