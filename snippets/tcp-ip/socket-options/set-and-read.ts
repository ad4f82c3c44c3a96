// Sets every option of the table on a new stream socket and a new datagram socket, and
// reads back what the kernel made of it.
// usage: node set-and-read.ts

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  IP_HDRINCL,
  IP_MTU_DISCOVER,
  IP_OPTIONS,
  IP_TOS,
  IP_TTL,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TYPE,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_FASTOPEN,
  TCP_INFO,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_QUICKACK,
  TCP_SYNCNT,
  TCP_USER_TIMEOUT,
  close,
  getsockopt,
  linger,
  setsockopt,
  socket,
  timeval,
} from '#posix'

// #region values
type Value = number | Uint8Array
const nops = Uint8Array.of(1, 1, 1, 0) // three times "no operation", then the end: RFC 791, 3.1
const [S, T, I, I6] = [SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6]
const settings: [name: string, level: number, number: number, said: string, value: Value][] = [
  ['SO_KEEPALIVE', S, SO_KEEPALIVE, '1', 1],
  ['SO_KEEPALIVE', S, SO_KEEPALIVE, '5', 5],
  ['SO_LINGER', S, SO_LINGER, '1, 5 s', linger(true, 5)],
  ['SO_RCVBUF', S, SO_RCVBUF, '10000', 10_000],
  ['SO_SNDBUF', S, SO_SNDBUF, '10000', 10_000],
  ['SO_RCVLOWAT', S, SO_RCVLOWAT, '100', 100],
  ['SO_RCVLOWAT', S, SO_RCVLOWAT, '0', 0],
  ['SO_SNDLOWAT', S, SO_SNDLOWAT, '100', 100],
  ['SO_RCVTIMEO', S, SO_RCVTIMEO, '2.5 s', timeval(2500)],
  ['SO_SNDTIMEO', S, SO_SNDTIMEO, '2.5 s', timeval(2500)],
  ['SO_REUSEADDR', S, SO_REUSEADDR, '1', 1],
  ['SO_REUSEPORT', S, SO_REUSEPORT, '1', 1],
  ['SO_BROADCAST', S, SO_BROADCAST, '1', 1],
  ['SO_TYPE', S, SO_TYPE, '2', 2],
  ['SO_ACCEPTCONN', S, SO_ACCEPTCONN, '1', 1],
  ['SO_ERROR', S, SO_ERROR, '1', 1],
  ['TCP_MAXSEG', T, TCP_MAXSEG, '1000', 1000],
  ['TCP_MAXSEG', T, TCP_MAXSEG, '40', 40],
  ['TCP_NODELAY', T, TCP_NODELAY, '1', 1],
  ['TCP_CORK', T, TCP_CORK, '1', 1],
  ['TCP_QUICKACK', T, TCP_QUICKACK, '0', 0],
  ['TCP_KEEPIDLE', T, TCP_KEEPIDLE, '10', 10],
  ['TCP_KEEPIDLE', T, TCP_KEEPIDLE, '32768', 32_768],
  ['TCP_KEEPINTVL', T, TCP_KEEPINTVL, '2', 2],
  ['TCP_KEEPCNT', T, TCP_KEEPCNT, '3', 3],
  ['TCP_USER_TIMEOUT', T, TCP_USER_TIMEOUT, '5000', 5000],
  ['TCP_SYNCNT', T, TCP_SYNCNT, '2', 2],
  ['TCP_DEFER_ACCEPT', T, TCP_DEFER_ACCEPT, '5', 5],
  ['TCP_FASTOPEN', T, TCP_FASTOPEN, '5', 5],
  ['TCP_INFO', T, TCP_INFO, '1', 1],
  ['IP_HDRINCL', I, IP_HDRINCL, '1', 1],
  ['IP_OPTIONS', I, IP_OPTIONS, '4 bytes', nops],
  ['IP_TOS', I, IP_TOS, '0x13', 0x13],
  ['IP_TTL', I, IP_TTL, '1', 1],
  ['IP_TTL', I, IP_TTL, '0', 0],
  ['IP_MTU_DISCOVER', I, IP_MTU_DISCOVER, '2', 2],
  ['IPV6_V6ONLY', I6, IPV6_V6ONLY, '1', 1],
]
// #endregion values

console.log('option | set to | stream | datagram')
for (const [name, level, number, said, value] of settings) {
  const read = [SOCK_STREAM, SOCK_DGRAM].map((type) => setAndRead(name, type, level, number, value))
  console.log([name, said, ...read].join(' | '))
}

// #region set
function setAndRead(name: string, type: number, level: number, number: number, value: Value) {
  const fd = socket(level === IPPROTO_IPV6 ? AF_INET6 : AF_INET, type, 0)
  try {
    setsockopt(fd, level, number, value)
    const back = Buffer.alloc(64)
    const length = getsockopt(fd, level, number, back)
    return meaning(name, back, length)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  } finally {
    close(fd)
  }
}
// #endregion set

function meaning(name: string, value: Buffer, length: number): string {
  if (name === 'SO_LINGER') return `${value.readInt32LE(0)}, ${value.readInt32LE(4)} s`
  if (name === 'IP_OPTIONS') return `${length} bytes`
  if (name === 'IP_TOS') return `0x${value.readInt32LE(0).toString(16)}`
  if (!name.endsWith('TIMEO')) return String(value.readInt32LE(0))
  const [seconds, microseconds] = [value.readBigInt64LE(0), value.readBigInt64LE(8)]
  return `${Number(seconds) + Number(microseconds) / 1e6} s`
}
