// Reads every option of the table from a new stream socket and a new datagram socket.
// usage: node defaults.ts

import { existsSync, readFileSync } from 'node:fs'
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
  socket,
} from '#posix'

const levels = {
  SOL_SOCKET: [
    SOL_SOCKET,
    {
      SO_KEEPALIVE,
      SO_LINGER,
      SO_RCVBUF,
      SO_SNDBUF,
      SO_RCVLOWAT,
      SO_SNDLOWAT,
      SO_RCVTIMEO,
      SO_SNDTIMEO,
      SO_REUSEADDR,
      SO_REUSEPORT,
      SO_BROADCAST,
      SO_TYPE,
      SO_ACCEPTCONN,
      SO_ERROR,
    },
  ],
  IPPROTO_TCP: [
    IPPROTO_TCP,
    {
      TCP_MAXSEG,
      TCP_NODELAY,
      TCP_CORK,
      TCP_QUICKACK,
      TCP_KEEPIDLE,
      TCP_KEEPINTVL,
      TCP_KEEPCNT,
      TCP_USER_TIMEOUT,
      TCP_SYNCNT,
      TCP_DEFER_ACCEPT,
      TCP_FASTOPEN,
      TCP_INFO,
    },
  ],
  IPPROTO_IP: [IPPROTO_IP, { IP_HDRINCL, IP_OPTIONS, IP_TOS, IP_TTL, IP_MTU_DISCOVER }],
  IPPROTO_IPV6: [IPPROTO_IPV6, { IPV6_V6ONLY }],
} as const

// #region explained
/** Defaults that an administrator can change, and where. */
const sysctls: Record<string, string> = {
  'SO_RCVBUF stream': 'net.ipv4.tcp_rmem[1]',
  'SO_RCVBUF datagram': 'net.core.rmem_default',
  'SO_SNDBUF stream': 'net.ipv4.tcp_wmem[1]',
  'SO_SNDBUF datagram': 'net.core.wmem_default',
  'TCP_KEEPIDLE stream': 'net.ipv4.tcp_keepalive_time',
  'TCP_KEEPINTVL stream': 'net.ipv4.tcp_keepalive_intvl',
  'TCP_KEEPCNT stream': 'net.ipv4.tcp_keepalive_probes',
  'TCP_SYNCNT stream': 'net.ipv4.tcp_syn_retries',
  'IP_TTL stream': 'net.ipv4.ip_default_ttl',
  'IP_TTL datagram': 'net.ipv4.ip_default_ttl',
  'IP_MTU_DISCOVER stream': 'net.ipv4.ip_no_pmtu_disc',
  'IP_MTU_DISCOVER datagram': 'net.ipv4.ip_no_pmtu_disc',
  'IPV6_V6ONLY stream': 'net.ipv6.bindv6only',
  'IPV6_V6ONLY datagram': 'net.ipv6.bindv6only',
}
// #endregion explained

const types = { stream: SOCK_STREAM, datagram: SOCK_DGRAM }
console.log('level | option | number | bytes | stream | datagram')
for (const [levelName, [level, options]] of Object.entries(levels)) {
  const family = level === IPPROTO_IPV6 ? AF_INET6 : AF_INET
  for (const [name, number] of Object.entries(options)) {
    const row: (string | number)[] = [levelName, name, number]
    const lengths = new Set<number>()
    const values = Object.entries(types).map(([kind, type]) => {
      const { value, length } = read(family, type, level, name, number)
      if (length !== undefined) lengths.add(length)
      const sysctl = sysctls[`${name} ${kind}`]
      return sysctl === undefined ? value : `${value} by ${sysctl} ${valueOf(sysctl)}`
    })
    console.log([...row, [...lengths].join(' ') || '-', ...values].join(' | '))
  }
}

// #region read
function read(family: number, type: number, level: number, name: string, number: number) {
  const value = Buffer.alloc(1024)
  const fd = socket(family, type, 0)
  try {
    const length = getsockopt(fd, level, number, value)
    return { value: meaning(name, value, length), length }
  } catch (error) {
    return { value: (error as NodeJS.ErrnoException).code! }
  } finally {
    close(fd)
  }
}
// #endregion read

// #region meaning
function meaning(name: string, value: Buffer, length: number): string {
  if (length === 0) return 'nothing'
  if (name === 'SO_LINGER') return value.readInt32LE(0) === 0 ? 'off' : `${value.readInt32LE(4)} s`
  if (name.endsWith('TIMEO')) return `${value.readBigInt64LE(0)}.${value.readBigInt64LE(8)} s`
  if (name === 'TCP_INFO') return `state ${value.readUInt8(0)}` // struct tcp_info, linux/tcp.h
  return String(value.readInt32LE(0))
}
// #endregion meaning

/** A sysctl as /proc/sys has it; `[1]` is the second of its numbers. sysctl(8) */
function valueOf(sysctl: string): string {
  const [, name, index] = /^([^[]+)(?:\[(\d)\])?$/.exec(sysctl)!
  const file = `/proc/sys/${name!.replaceAll('.', '/')}`
  if (!existsSync(file)) return 'nothing' // a kernel without IPv6
  const numbers = readFileSync(file, 'utf8').trim()
  return numbers.split(/\s+/)[Number(index ?? 0)]!
}
