import { networkInterfaces } from 'node:os'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_STREAM,
  bind,
  connect,
  endpoint,
  family,
  format,
  getpeername,
  getsockname,
  htonl,
  htons,
  inet_ntop,
  inet_pton,
  listen,
  accept,
  ntohl,
  ntohs,
  recvfrom,
  sendto,
  sockaddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_storage,
  sockaddr_un,
  socket,
} from '#posix'
import { abstract, bound, closeAfterEach, code, datagram, failure, hasIPv6, opened, own } from './sockets.ts'

closeAfterEach()

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('byte order', () => {
  test('what lies in memory after htons and htonl is big-endian', () => {
    expect(hex(new Uint8Array(Uint16Array.of(htons(0x1234)).buffer))).toBe('1234')
    expect(hex(new Uint8Array(Uint32Array.of(htonl(0x12345678)).buffer))).toBe('12345678')
  })

  test.each([0, 1, 80, 255, 256, 0x1234, 65_535])('ntohs(htons(%d)) is the same', (port) => {
    expect(ntohs(htons(port))).toBe(port)
  })

  test.each([0, 1, 0x7f000001, 0x80000000, 0xffffffff])('ntohl(htonl(%d)) is the same, and not negative', (address) => {
    expect(htonl(address)).toBeGreaterThanOrEqual(0)
    expect(ntohl(htonl(address))).toBe(address)
  })
})

describe('inet_pton, inet_ntop', () => {
  test.each([
    [AF_INET, '127.0.0.1', '7f000001'],
    [AF_INET, '255.255.255.255', 'ffffffff'],
    [AF_INET6, '::1', '00000000000000000000000000000001'],
    [AF_INET6, '2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    [AF_INET6, '::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ])('%d %s', (family, presentation, network) => {
    expect(hex(inet_pton(family, presentation))).toBe(network)
    expect(inet_ntop(family, Buffer.from(network, 'hex'))).toBe(presentation)
  })

  test.each(['', 'localhost', '127.1', '010.0.0.1', '256.0.0.1', '1.2.3.4 ', '::1'])(
    'EINVAL: %j is not IPv4',
    (text) => {
      expect(failure(() => inet_pton(AF_INET, text))).toMatchObject({
        message: `inet_pton EINVAL: not an IPv4 address: ${text}`,
        code: 'EINVAL',
        syscall: 'inet_pton',
      })
    },
  )

  test.each(['', '127.0.0.1', ':::', '::1%lo', '1:2:3:4:5:6:7:8:9'])('EINVAL: %j is not IPv6', (text) => {
    expect(code(() => inet_pton(AF_INET6, text))).toBe('EINVAL')
  })

  test('EAFNOSUPPORT: another family', () => {
    expect(code(() => inet_pton(AF_UNIX, '127.0.0.1'))).toBe('EAFNOSUPPORT')
    expect(code(() => inet_ntop(AF_UNIX, Buffer.alloc(16)))).toBe('EAFNOSUPPORT')
  })

  test('RangeError: a NUL, behind which C would not look; too few bytes, behind which it would', () => {
    expect(() => inet_pton(AF_INET, '127.0.0.1\0.example')).toThrow(RangeError)
    expect(() => inet_ntop(AF_INET, Buffer.alloc(3))).toThrow('inet_ntop: 3 bytes where 4 are due')
    expect(() => inet_ntop(AF_INET6, Buffer.alloc(15))).toThrow(RangeError)
  })
})

describe('structures', () => {
  test('sockaddr_in', () => {
    expect(hex(sockaddr_in('192.0.2.1', 0x1234))).toBe(`0200${'1234'}${'c0000201'}${'00'.repeat(8)}`)
  })

  test('sockaddr_in6', () => {
    const addr = sockaddr_in6('2001:db8::1', 0x1234, 7)
    expect(hex(addr)).toBe(`0a00${'1234'}${'00000000'}20010db8${'00'.repeat(11)}01${'07000000'}`)
  })

  test('sockaddr_un', () => {
    expect(hex(sockaddr_un('/tmp/x'))).toBe(`0100${Buffer.from('/tmp/x').toString('hex')}${'00'.repeat(102)}`)
    expect(hex(sockaddr_un('\0name'))).toBe('0100006e616d65')
    expect(sockaddr_un('x'.repeat(107))).toHaveLength(110)
  })

  test('sockaddr takes the structure that the literal asks for', () => {
    expect(family(sockaddr('127.0.0.1', 80))).toBe(AF_INET)
    expect(family(sockaddr('::1', 80))).toBe(AF_INET6)
    expect(code(() => sockaddr('localhost', 80))).toBe('EINVAL')
  })

  test.each([-1, 65_536, 1.5, Number.NaN])('RangeError: %d is not a port', (port) => {
    expect(() => sockaddr_in('127.0.0.1', port)).toThrow(`a port is 0 to 65535, not ${port}`)
    expect(() => sockaddr_in6('::1', port)).toThrow(RangeError)
  })

  test('RangeError: a path that does not fit, in bytes, or that has a NUL within', () => {
    expect(() => sockaddr_un('x'.repeat(108))).toThrow('the path has 108 bytes, 107 is the limit')
    expect(() => sockaddr_un('é'.repeat(54))).toThrow(RangeError)
    expect(() => sockaddr_un('/tmp/a\0b')).toThrow(RangeError)
  })
})

describe('endpoint, format', () => {
  test.each([
    [sockaddr('127.0.0.1', 5000), { family: AF_INET, address: '127.0.0.1', port: 5000 }, '127.0.0.1:5000'],
    [sockaddr('::1', 65_535), { family: AF_INET6, address: '::1', port: 65_535 }, '[::1]:65535'],
    [sockaddr_un('/run/x'), { family: AF_UNIX, address: '/run/x' }, '/run/x'],
    [sockaddr_un('\0x'), { family: AF_UNIX, address: '@x' }, '@x'],
  ])('%#', (addr, parts, text) => {
    expect(endpoint(addr)).toEqual(parts)
    expect(format(addr)).toBe(text)
    // In a buffer that is too large, and at an odd place of it, the address is the same.
    const memory = Buffer.alloc(200)
    memory.set(addr, 3)
    expect(endpoint(memory.subarray(3, 131))).toEqual(parts)
  })

  test('RangeError: a family that is not known here', () => {
    const addr = Buffer.alloc(12)
    addr.writeUInt16LE(AF_NETLINK)
    expect(() => endpoint(addr)).toThrow('address family 16 is not known here')
  })
})

describe('through the kernel and back', () => {
  test('IPv4', () => {
    const fd = bound(datagram())
    const to = own(fd)
    sendto(fd, Buffer.alloc(1), 1, 0, to)
    const from = sockaddr_storage()
    recvfrom(fd, Buffer.alloc(1), 1, 0, from)
    expect(from.subarray(0, 16)).toEqual(to)
  })

  test.skipIf(!hasIPv6())('IPv6', () => {
    const fd = opened(socket(AF_INET6, SOCK_DGRAM, 0))
    bind(fd, sockaddr('::1', 0))
    const to = getsockname(fd, sockaddr('::1', 0))
    sendto(fd, Buffer.alloc(1), 1, 0, to)
    const from = sockaddr_storage()
    recvfrom(fd, Buffer.alloc(1), 1, 0, from)
    expect(from.subarray(0, 28)).toEqual(to)
    expect(endpoint(from).address).toBe('::1')
  })

  const linkLocal = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, scopeid }) => family === 'IPv6' && (scopeid ?? 0) > 0)
  test.skipIf(linkLocal === undefined)('IPv6 with the scope of a link-local address', () => {
    const { address, scopeid } = linkLocal!
    const fd = opened(socket(AF_INET6, SOCK_DGRAM, 0))
    bind(fd, sockaddr_in6(address, 0, scopeid))
    expect(getsockname(fd, sockaddr_storage()).readUInt32LE(24)).toBe(scopeid)
  })

  test.each([
    ['a path', () => sockaddr_un(join(inject('runFolder'), 'through-the-kernel'))],
    ['an abstract name', abstract],
  ])('unix: %s', (_name, address) => {
    const addr = address()
    const listenFd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    bind(listenFd, addr)
    listen(listenFd, 1)
    const clientFd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    connect(clientFd, addr)
    opened(accept(listenFd))
    expect(endpoint(getpeername(clientFd, sockaddr_storage()))).toEqual(endpoint(addr))
    if (!endpoint(addr).address.startsWith('@')) rmSync(endpoint(addr).address)
  })

  test('unix: a datagram is answered at the path it came from', () => {
    const paths = ['here', 'there'].map((name) => sockaddr_un(join(inject('runFolder'), `answered-${name}`)))
    const [here, there] = paths.map((addr) => {
      const fd = opened(socket(AF_UNIX, SOCK_DGRAM, 0))
      bind(fd, addr)
      return fd
    }) as [number, number]
    const buf = Buffer.alloc(8)
    sendto(here, buf, 1, 0, paths[1]!)
    const from = sockaddr_un('') // a sockaddr_un is what the kernel takes back; sockaddr_storage is too long
    recvfrom(there, buf, 8, 0, from)
    expect(endpoint(from)).toEqual(endpoint(paths[0]!))
    expect(sendto(there, buf, 2, 0, from)).toBe(2)
    expect(recvfrom(here, buf, 8, 0, from)).toBe(2)
    expect(code(() => sendto(there, buf, 2, 0, sockaddr_storage().fill(from, 0, from.length)))).toBe('EINVAL')
    for (const addr of paths) rmSync(endpoint(addr).address)
  })
})
