// From names to addresses: getaddrinfo and its older relatives.

import koffi from 'koffi'
import { check, systemError } from './errors.ts'
import { cString, lastErrno, libc } from './platform.ts'

const calls = {
  getaddrinfo: libc.func('int getaddrinfo(const char *, const char *, const void *, void *)'),
  freeaddrinfo: libc.func('void freeaddrinfo(uint64_t)'),
  memcpy: libc.func('void memcpy(void *, uint64_t, uint64_t)'),
  gai_strerror: libc.func('const char *gai_strerror(int)'),
  gethostname: libc.func('int gethostname(void *, uint64_t)'),
  inet_aton: libc.func('int inet_aton(const char *, void *)'),
  inet_addr: libc.func('uint32_t inet_addr(const char *)'),
}

// #region getaddrinfo
/** What to look for; every field may be left out. */
export interface Hints {
  flags?: number
  family?: number
  socktype?: number
  protocol?: number
}

/**
 * One way to reach the name: hand family, socktype and protocol to socket, addr to connect or bind.
 */
export interface AddrInfo {
  family: number
  socktype: number
  protocol: number
  addr: Buffer
  canonname?: string
}

// The codes are getaddrinfo's own, not errno's. netdb.h; EAI_NODATA and EAI_ADDRFAMILY are glibc's
const codes = new Map([
  [-1, 'EAI_BADFLAGS'],
  [-2, 'EAI_NONAME'],
  [-3, 'EAI_AGAIN'],
  [-4, 'EAI_FAIL'],
  [-5, 'EAI_NODATA'],
  [-6, 'EAI_FAMILY'],
  [-7, 'EAI_SOCKTYPE'],
  [-8, 'EAI_SERVICE'],
  [-9, 'EAI_ADDRFAMILY'],
  [-10, 'EAI_MEMORY'],
  [-12, 'EAI_OVERFLOW'],
])
const EAI_SYSTEM = -11 // errno has the reason

/**
 * Finds the addresses of a host and a service, in the order in which they should be tried (RFC
 * 6724). It asks /etc/hosts, DNS and whatever else nsswitch.conf(5) names, and blocks until they
 * answer.
 * @param node a name or a literal; null for this host (the wildcard address with AI_PASSIVE, else
 * loopback)
 * @param service a name of /etc/services or a port in digits; null for port 0
 * @throws EAI_NONAME (no such name, or both are null), EAI_NODATA (a name without an address),
 * EAI_AGAIN (DNS does not answer), EAI_SERVICE, EAI_FAMILY, EAI_ADDRFAMILY (a literal of the other
 * family), EAI_SOCKTYPE, EAI_BADFLAGS; what errno says where C has EAI_SYSTEM. getaddrinfo(3)
 */
export function getaddrinfo(
  node: string | null,
  service: string | null,
  hints: Hints = {},
): AddrInfo[] {
  // struct addrinfo: flags, family, socktype, protocol; then addrlen, addr, canonname, next: 48
  // bytes
  const { flags = 0, family = 0, socktype = 0, protocol = 0 } = hints
  const request = new Int32Array(12)
  request.set([flags, family, socktype, protocol])
  const result = new BigUint64Array(1)
  const [host, port] = [node, service].map((text) => (text === null ? null : cString(text)))
  const status = calls.getaddrinfo(host, port, request, result) as number
  if (status === EAI_SYSTEM) throw systemError('getaddrinfo', -lastErrno())
  if (status !== 0) {
    const code = codes.get(status) ?? `EAI ${status}`
    const text = (calls.gai_strerror(status) as string).toLowerCase()
    const message = `getaddrinfo ${code}: ${text} ${node ?? service ?? ''}`.trimEnd()
    throw Object.assign(new Error(message), { code, errno: status, syscall: 'getaddrinfo' })
  }
  const found: AddrInfo[] = []
  for (let next = result[0]!; next !== 0n;) {
    const info = copy(next, 48) // little-endian on both machines that posix/ knows
    const canonname = info.readBigUInt64LE(32)
    found.push({
      family: info.readInt32LE(4),
      socktype: info.readInt32LE(8),
      protocol: info.readInt32LE(12),
      addr: copy(info.readBigUInt64LE(24), info.readUInt32LE(16)),
      ...(canonname === 0n ? {} : { canonname: koffi.decode(canonname, 'char', -1) as string }),
    })
    next = info.readBigUInt64LE(40)
  }
  calls.freeaddrinfo(result[0]!)
  return found
}

/**
 * Copies memory of libc's. (koffi.view would hold on to it until the event loop turns, if it ever
 * does.)
 */
function copy(address: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  calls.memcpy(bytes, address, length)
  return bytes
}
// #endregion getaddrinfo

/** The name of this host. gethostname(2) */
export function gethostname(): string {
  const name = Buffer.alloc(65) // HOST_NAME_MAX is 64
  check(calls.gethostname(name, name.length), 'gethostname')
  return name.toString('utf8', 0, name.indexOf(0))
}

/**
 * The older reading of IPv4 addresses, with octal, hexadecimal and missing parts: '127.1',
 * '0x7f.1', '010.0.0.1' (8.0.0.1).
 * @returns the four bytes, or null where C returns 0. inet_aton(3)
 */
export function inet_aton(cp: string): Buffer | null {
  const bytes = Buffer.alloc(4)
  return calls.inet_aton(cString(cp), bytes) === 0 ? null : bytes
}

/**
 * inet_aton as a number in network byte order; 0xffffffff means "255.255.255.255" and also "not an
 * address". inet_addr(3)
 */
export function inet_addr(cp: string): number {
  return calls.inet_addr(cString(cp)) as number
}
