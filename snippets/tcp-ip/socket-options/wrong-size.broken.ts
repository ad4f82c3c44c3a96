// Wrong on purpose: values of the wrong size, and milliseconds where there are none.
// usage: node wrong-size.broken.ts

import {
  AF_INET,
  EAGAIN,
  IPPROTO_IP,
  IP_TTL,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_RCVTIMEO,
  close,
  getsockopt,
  getsockoptInt,
  setsockopt,
  socket,
  tryRecv,
} from '#posix'

const fd = socket(AF_INET, SOCK_DGRAM, 0)

// #region size
attempt('SO_KEEPALIVE in 1 byte', () => {
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, Uint8Array.of(1))
})
attempt('SO_KEEPALIVE in 8 bytes', () => {
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, Buffer.from(BigInt64Array.of(1n << 32n).buffer))
  return `reads ${getsockoptInt(fd, SOL_SOCKET, SO_KEEPALIVE)}`
})
attempt('IP_TTL in 1 byte', () => {
  setsockopt(fd, IPPROTO_IP, IP_TTL, Uint8Array.of(9))
  return `reads ${getsockoptInt(fd, IPPROTO_IP, IP_TTL)}`
})
attempt('SO_RCVBUF read into 2 bytes', () => {
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 40_000)
  const value = Buffer.alloc(2)
  const length = getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value)
  const size = getsockoptInt(fd, SOL_SOCKET, SO_RCVBUF)
  return `${length} bytes, ${value.readUInt16LE()} of ${size}`
})
// #endregion size

// #region time
attempt('SO_RCVTIMEO as an int, 2000', () => {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, 2000)
})
attempt('SO_RCVTIMEO { 0, 2000 }', () => {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(0, 2000))
  const began = performance.now()
  const result = tryRecv(fd, Buffer.alloc(1), 1, 0)
  const early = performance.now() - began < 1000
  return `${result === -EAGAIN ? 'EAGAIN' : result}, before a second was over: ${early}`
})
attempt('SO_RCVTIMEO { 0, 2000000 }', () => {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(0, 2_000_000))
})
// #endregion time
close(fd)

/** struct timeval: seconds and microseconds, as they are. */
function timeval(seconds: number, microseconds: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(BigInt(seconds), BigInt(microseconds)).buffer)
}

function attempt(what: string, act: () => string | void): void {
  try {
    console.log(`${what}: ${act() ?? 'accepted'}`)
  } catch (error) {
    console.log(`${what}: ${(error as Error).message}`)
  }
}
