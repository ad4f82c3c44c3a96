// A reader that does not read for a while: how many datagrams the
// kernel keeps for it, and how many it drops.
// usage: node slow-reader.ts BUFFER LENGTH COUNT

import {
  AF_INET,
  EAGAIN,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_MEMINFO,
  SO_RCVBUF,
  bind,
  close,
  getsockname,
  getsockopt,
  getsockoptInt,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const [bytes, length, count] = process.argv.slice(2).map(Number)
const valid = [bytes, length, count].every((n) => n !== undefined && Number.isInteger(n) && n >= 0)
if (!valid || length! > 65_507) {
  console.error('usage: node slow-reader.ts BUFFER LENGTH COUNT')
  process.exit(2)
}

try {
  // #region reader
  const readerFd = socket(AF_INET, SOCK_DGRAM, 0)
  setsockopt(readerFd, SOL_SOCKET, SO_RCVBUF, bytes!)
  bind(readerFd, sockaddr_in('127.0.0.1', 0))
  const reader = getsockname(readerFd, sockaddr_in('127.0.0.1', 0))
  const granted = getsockoptInt(readerFd, SOL_SOCKET, SO_RCVBUF)
  console.log(`asked for a buffer of ${bytes} bytes, got ${granted}`)
  // #endregion reader

  // #region loss
  const datagram = Buffer.alloc(length!)
  const writerFd = socket(AF_INET, SOCK_DGRAM, 0)
  let sent = 0
  while (sent < count!) {
    // Succeeds each time
    sendto(writerFd, datagram, length!, 0, reader)
    sent++
  }

  let received = 0
  while (received + drops(readerFd) < sent) received += readAll(readerFd)
  console.log(`sent ${sent}, received ${received}, dropped ${drops(readerFd)}`)
  // #endregion loss

  close(writerFd)
  close(readerFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/**
 * Reads what is there, and returns how many datagrams that were.
 */
function readAll(fd: number): number {
  const buf = Buffer.alloc(65_536)
  for (let received = 0; ; received++) {
    const result = tryRecv(fd, buf, buf.length, MSG_DONTWAIT)
    if (result === -EAGAIN) return received
    if (result < 0) throw systemError('recv', result)
  }
}

// #region drops
/**
 * How many datagrams the kernel has dropped because this socket's
 * buffer was full.
 */
function drops(fd: number): number {
  // SK_MEMINFO_VARS, linux/sock_diag.h
  const meminfo = new Uint32Array(9)
  getsockopt(fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(meminfo.buffer))
  return meminfo[8]! // SK_MEMINFO_DROPS
}
// #endregion drops
