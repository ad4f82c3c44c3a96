// Socket addresses. The kernel takes and gives them as structures of bytes, and so do we: an address is a Buffer that holds a
// sockaddr_in, sockaddr_in6 or sockaddr_un, ready to be passed to bind, connect, sendto.

import { isIPv6 } from 'node:net'
import { constants, endianness } from 'node:os'
import { AF_INET, AF_INET6, AF_UNIX } from './constants.ts'
import { libc } from './platform.ts'

// #region byte-order
// The network sends the most significant byte first (RFC 1700's "network byte order"); this machine may not.
const littleEndian = endianness() === 'LE'

/** A 16-bit number (a port) from host to network byte order. byteorder(3) */
export function htons(host: number): number {
  return littleEndian ? ((host & 0xff) << 8) | ((host >>> 8) & 0xff) : host & 0xffff
}

/** A 32-bit number (an IPv4 address) from host to network byte order. byteorder(3) */
export function htonl(host: number): number {
  if (!littleEndian) return host >>> 0
  return ((host << 24) | ((host << 8) & 0xff0000) | ((host >>> 8) & 0xff00) | (host >>> 24)) >>> 0
}

// Swapping twice gives the number back, so the way to the host is the way to the network.
export const ntohs = htons
export const ntohl = htonl
// #endregion byte-order

// #region presentation
const calls = {
  inet_pton: libc.func('int inet_pton(int, const char *, void *)'),
  inet_ntop: libc.func('const char *inet_ntop(int, const void *, void *, uint32_t)'),
}
const text = Buffer.alloc(46) // INET6_ADDRSTRLEN

/**
 * From presentation (`127.0.0.1`, `::1`) to network (4 or 16 bytes). inet_pton(3)
 * @throws an Error with code EINVAL when `source` is not a literal of that family: names are getaddrinfo's business
 */
export function inet_pton(family: number, source: string): Buffer {
  const bytes = Buffer.alloc(family === AF_INET6 ? 16 : 4)
  if (calls.inet_pton(family, source, bytes) === 1) return bytes
  throw Object.assign(new Error(`inet_pton EINVAL: not an ${family === AF_INET6 ? 'IPv6' : 'IPv4'} address: ${source}`), {
    code: 'EINVAL',
    errno: -constants.errno.EINVAL,
    syscall: 'inet_pton',
  })
}

/** From network (4 or 16 bytes) to presentation. inet_ntop(3) */
export function inet_ntop(family: number, bytes: Uint8Array): string {
  if (bytes.byteLength < (family === AF_INET6 ? 16 : 4)) throw new RangeError('inet_ntop: too few bytes for that family')
  return calls.inet_ntop(family, bytes, text, text.length) as string
}
// #endregion presentation

// #region sockaddr
/**
 * struct sockaddr_in: family, port, IPv4 address, padding; 16 bytes. ip(7)
 * @param address a dotted-decimal literal
 * @param port 0 to 65535, in host byte order; 0 lets bind choose
 * @throws EINVAL for any other address, RangeError for any other port
 */
export function sockaddr_in(address: string, port: number): Buffer {
  const addr = Buffer.alloc(16)
  new Uint16Array(addr.buffer, addr.byteOffset, 1)[0] = AF_INET // sa_family_t is in host byte order ...
  addr.writeUInt16BE(checkedPort(port), 2) // ... and the port in network byte order
  addr.set(inet_pton(AF_INET, address), 4)
  return addr
}

/**
 * struct sockaddr_in6: family, port, flow information, IPv6 address, scope; 28 bytes. ipv6(7)
 * @param scopeId the index of the interface, for link-local addresses
 */
export function sockaddr_in6(address: string, port: number, scopeId = 0): Buffer {
  const addr = Buffer.alloc(28)
  new Uint16Array(addr.buffer, addr.byteOffset, 1)[0] = AF_INET6
  addr.writeUInt16BE(checkedPort(port), 2)
  addr.set(inet_pton(AF_INET6, address), 8)
  new Uint32Array(addr.buffer, addr.byteOffset + 24, 1)[0] = scopeId
  return addr
}
// #endregion sockaddr

/**
 * struct sockaddr_un: family and a path of up to 107 bytes; 110 bytes. unix(7)
 * @param path a path in the file system, or '\0name' for a name in Linux's abstract namespace
 */
export function sockaddr_un(path: string): Buffer {
  const bytes = Buffer.from(path)
  if (bytes.length > 107) throw new RangeError(`sockaddr_un: the path has ${bytes.length} bytes, 107 is the limit`)
  // The length of the address is part of an abstract name, so that one ends where its bytes end.
  const addr = Buffer.alloc(path.startsWith('\0') ? 2 + bytes.length : 110)
  new Uint16Array(addr.buffer, addr.byteOffset, 1)[0] = AF_UNIX
  addr.set(bytes, 2)
  return addr
}

/** sockaddr_in or sockaddr_in6, whichever the literal asks for. */
export function sockaddr(address: string, port: number): Buffer {
  return isIPv6(address) ? sockaddr_in6(address, port) : sockaddr_in(address, port)
}

/** Room for any address that a call gives back: struct sockaddr_storage, 128 bytes. */
export function sockaddr_storage(): Buffer {
  return Buffer.alloc(128)
}

/** The `sa_family` of an address: AF_INET, AF_INET6, AF_UNIX, … */
export function family(addr: Uint8Array): number {
  return new Uint16Array(addr.buffer, addr.byteOffset, 1)[0]!
}

// #region endpoint
/** An address taken apart. A unix address has a path for an address and no port. */
export interface Endpoint {
  family: number
  address: string
  port?: number
}

/** Takes an address apart; the port comes out in host byte order. */
export function endpoint(addr: Uint8Array): Endpoint {
  const bytes = Buffer.from(addr.buffer, addr.byteOffset, addr.byteLength)
  switch (family(addr)) {
    case AF_INET:
      return { family: AF_INET, address: inet_ntop(AF_INET, bytes.subarray(4, 8)), port: bytes.readUInt16BE(2) }
    case AF_INET6:
      return { family: AF_INET6, address: inet_ntop(AF_INET6, bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) }
    case AF_UNIX: {
      const path = bytes.toString('utf8', 2).replace(/\0+$/, '')
      return { family: AF_UNIX, address: path.replace('\0', '@') } // '@name': how tools write an abstract name
    }
    default:
      throw new RangeError(`endpoint: address family ${family(addr)} is not known here`)
  }
}

/** An address as people write it: `127.0.0.1:5000`, `[::1]:5000`, or the path. */
export function format(addr: Uint8Array): string {
  const { family, address, port } = endpoint(addr)
  return family === AF_INET6 ? `[${address}]:${port}` : family === AF_INET ? `${address}:${port}` : address
}
// #endregion endpoint

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`a port is 0 to 65535, not ${port}`)
  return port
}
