// Socket addresses. The kernel takes and gives them as structures of bytes, and so do we: an
// address is a Buffer that holds a sockaddr_in, sockaddr_in6 or sockaddr_un, ready to be passed to
// bind, connect, sendto.

import { constants, endianness } from 'node:os'
import { AF_INET, AF_INET6, AF_UNIX } from './constants.ts'
import { cString, libc } from './platform.ts'

// The network sends the most significant byte first (RFC 791, appendix B); this machine may keep it
// last.
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

const calls = {
  inet_pton: libc.func('int inet_pton(int, const char *, void *)'),
  inet_ntop: libc.func('const char *inet_ntop(int, const void *, void *, uint32_t)'),
}
const text = Buffer.alloc(46) // INET6_ADDRSTRLEN

/**
 * The bytes of an address without its port: 4 of IPv4, 16 of IPv6. Other families have no
 * presentation.
 */
function addressSize(family: number, syscall: string): number {
  if (family === AF_INET) return 4
  if (family === AF_INET6) return 16
  throw failed(syscall, 'EAFNOSUPPORT', `address family ${family} has no presentation`)
}

function failed(syscall: string, code: 'EAFNOSUPPORT' | 'EINVAL', text: string): Error {
  const error = new Error(`${syscall} ${code}: ${text}`)
  return Object.assign(error, { code, errno: -constants.errno[code], syscall })
}

/**
 * From presentation (`127.0.0.1`, `::1`) to network (4 or 16 bytes).
 * @throws EINVAL (not a literal of that family: names are getaddrinfo's business), EAFNOSUPPORT
 * (neither AF_INET nor AF_INET6). inet_pton(3)
 */
export function inet_pton(family: number, source: string): Buffer {
  const bytes = Buffer.alloc(addressSize(family, 'inet_pton'))
  if (calls.inet_pton(family, cString(source), bytes) === 1) return bytes
  const kind = family === AF_INET6 ? 'IPv6' : 'IPv4'
  throw failed('inet_pton', 'EINVAL', `not an ${kind} address: ${source}`)
}

/**
 * From network (4 or 16 bytes) to presentation.
 * @throws EAFNOSUPPORT (neither AF_INET nor AF_INET6), RangeError for too few bytes. inet_ntop(3)
 */
export function inet_ntop(family: number, bytes: Uint8Array): string {
  const size = addressSize(family, 'inet_ntop')
  const { byteLength } = bytes
  if (byteLength < size) {
    throw new RangeError(`inet_ntop: ${byteLength} bytes where ${size} are due`)
  }
  return calls.inet_ntop(family, bytes, text, text.length) as string
}

// #region sockaddr
/**
 * struct sockaddr_in: family, port, IPv4 address, padding; 16 bytes. ip(7)
 * @param address a dotted-decimal literal
 * @param port 0 to 65535, in host byte order; 0 lets bind choose
 * @throws EINVAL for any other address, RangeError for any other port
 */
export function sockaddr_in(address: string, port: number): Buffer {
  const addr = Buffer.alloc(16)
  setFamily(addr, AF_INET) // sa_family_t is in host byte order ...
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
  setFamily(addr, AF_INET6)
  addr.writeUInt16BE(checkedPort(port), 2)
  addr.set(inet_pton(AF_INET6, address), 8)
  new DataView(addr.buffer, addr.byteOffset).setUint32(24, scopeId, littleEndian)
  return addr
}
// #endregion sockaddr

/**
 * struct sockaddr_un: family and a path of up to 107 bytes; 110 bytes. unix(7)
 * @param path a path in the file system, or '\0name' for a name in Linux's abstract namespace
 * @throws RangeError for a path that is too long, or that C would cut at its first NUL
 */
export function sockaddr_un(path: string): Buffer {
  const bytes = Buffer.from(path)
  const { length } = bytes
  if (length > 107) {
    throw new RangeError(`sockaddr_un: the path has ${length} bytes, 107 is the limit`)
  }
  // The length of the address is part of an abstract name, so that one ends where its bytes end.
  const abstract = path.startsWith('\0')
  const addr = Buffer.alloc(abstract ? 2 + length : 110)
  if (!abstract) cString(path)
  setFamily(addr, AF_UNIX)
  addr.set(bytes, 2)
  return addr
}

/** sockaddr_in or sockaddr_in6, whichever the literal asks for. */
export function sockaddr(address: string, port: number): Buffer {
  return address.includes(':') ? sockaddr_in6(address, port) : sockaddr_in(address, port)
}

/**
 * Room for any address that a call gives back: struct sockaddr_storage, 128 bytes. One of AF_UNIX
 * cannot be passed on like that, since the kernel takes no more than 110: see sockaddr_un.
 */
export function sockaddr_storage(): Buffer {
  return Buffer.alloc(128)
}

/** The `sa_family` of an address: AF_INET, AF_INET6, AF_UNIX, … */
export function family(addr: Uint8Array): number {
  return new DataView(addr.buffer, addr.byteOffset, addr.byteLength).getUint16(0, littleEndian)
}

function setFamily(addr: Uint8Array, family: number): void {
  new DataView(addr.buffer, addr.byteOffset).setUint16(0, family, littleEndian)
}

/** An address taken apart. A unix address has a path for an address and no port. */
export interface Endpoint {
  family: number
  address: string
  port?: number
}

/**
 * Takes an address apart; the port comes out in host byte order. Throws RangeError for another
 * family.
 */
export function endpoint(addr: Uint8Array): Endpoint {
  const bytes = Buffer.from(addr.buffer, addr.byteOffset, addr.byteLength)
  switch (family(addr)) {
    case AF_INET:
      return {
        family: AF_INET,
        address: inet_ntop(AF_INET, bytes.subarray(4, 8)),
        port: bytes.readUInt16BE(2),
      }
    case AF_INET6:
      return {
        family: AF_INET6,
        address: inet_ntop(AF_INET6, bytes.subarray(8, 24)),
        port: bytes.readUInt16BE(2),
      }
    case AF_UNIX: {
      const path = bytes.toString('utf8', 2).replace(/\0+$/, '')
      return { family: AF_UNIX, address: path.replace('\0', '@') } // '@name' is an abstract one
    }
    default:
      throw new RangeError(`endpoint: address family ${family(addr)} is not known here`)
  }
}

/** An address as people write it: `127.0.0.1:5000`, `[::1]:5000`, or the path. */
export function format(addr: Uint8Array): string {
  const { family, address, port } = endpoint(addr)
  if (family === AF_UNIX) return address
  return family === AF_INET6 ? `[${address}]:${port}` : `${address}:${port}`
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new RangeError(`a port is 0 to 65535, not ${port}`)
}
