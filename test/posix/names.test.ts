import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  bind,
  endpoint,
  format,
  getaddrinfo,
  gethostname,
  inet_addr,
  inet_aton,
  socket,
} from '#posix'
import { closeAfterEach, code, failure, opened, program, results } from './sockets.ts'

closeAfterEach()

describe('getaddrinfo', () => {
  test('each type of socket that a literal can be reached with', () => {
    const found = getaddrinfo('127.0.0.1', '80')
    expect(found.map(({ socktype, protocol }) => [socktype, protocol])).toEqual([
      [SOCK_STREAM, IPPROTO_TCP],
      [SOCK_DGRAM, IPPROTO_UDP],
      [SOCK_RAW, 0],
    ])
    for (const { family, addr } of found) {
      expect(family).toBe(AF_INET)
      expect(format(addr)).toBe('127.0.0.1:80')
    }
  })

  test('hints narrow it down', () => {
    const [only, ...others] = getaddrinfo('::1', null, {
      family: AF_INET6,
      socktype: SOCK_DGRAM,
      flags: AI_NUMERICHOST,
    })
    expect(others).toEqual([])
    expect(endpoint(only!.addr)).toEqual({ family: AF_INET6, address: '::1', port: 0 })
    expect(only).not.toHaveProperty('canonname')
  })

  test('what it returns goes into socket and bind', () => {
    const [first] = getaddrinfo(null, '0', { family: AF_INET, socktype: SOCK_STREAM, flags: AI_PASSIVE })
    const { family, socktype, protocol, addr } = first!
    expect(format(addr)).toBe('0.0.0.0:0')
    bind(opened(socket(family, socktype, protocol)), addr)
  })

  test('no name is this host: loopback, or every interface with AI_PASSIVE', () => {
    const hints = { family: AF_INET, socktype: SOCK_STREAM }
    expect(getaddrinfo(null, '80', hints).map(({ addr }) => format(addr))).toEqual(['127.0.0.1:80'])
    const passive = { ...hints, flags: AI_PASSIVE }
    expect(getaddrinfo(null, '80', passive).map(({ addr }) => format(addr))).toEqual(['0.0.0.0:80'])
  })

  test('AI_CANONNAME: the first has the name', () => {
    const [first, ...others] = getaddrinfo('127.0.0.1', null, { flags: AI_CANONNAME | AI_NUMERICHOST })
    expect(first!.canonname).toBe('127.0.0.1')
    for (const other of others) expect(other).not.toHaveProperty('canonname')
  })

  const localhost = /^127\.0\.0\.1\s(?:.*\s)?localhost(?:\s|$)/m.test(readFileSync('/etc/hosts', 'utf8'))
  test.skipIf(!localhost)('a name of /etc/hosts', () => {
    const found = getaddrinfo('localhost', '80', { family: AF_INET, socktype: SOCK_STREAM })
    expect(found.map(({ addr }) => format(addr))).toContain('127.0.0.1:80')
  })

  test.each([
    ['EAI_NONAME', 'a name where a literal has to be', 'localhost', null, { flags: AI_NUMERICHOST }],
    ['EAI_NONAME', 'neither name nor service', null, null, {}],
    ['EAI_NONAME', 'a service where a number has to be', null, 'http', { flags: AI_NUMERICSERV }],
    ['EAI_SERVICE', 'a service that is none', '127.0.0.1', 'no-such-service', {}],
    ['EAI_FAMILY', 'a family without addresses', '127.0.0.1', null, { family: 99 }],
    ['EAI_ADDRFAMILY', 'a literal of the other family', '::1', null, { family: AF_INET, flags: AI_NUMERICHOST }],
    ['EAI_SOCKTYPE', 'a type of socket that is none', '127.0.0.1', null, { socktype: 99 }],
    ['EAI_BADFLAGS', 'a name to make canonical, where there is none', null, '80', { flags: AI_CANONNAME }],
  ])('%s: %s', (expected, _what, node, service, hints) => {
    expect(code(() => getaddrinfo(node, service, hints))).toBe(expected)
  })

  test('the error has the shape of the others', () => {
    expect(failure(() => getaddrinfo('localhost', null, { flags: AI_NUMERICHOST }))).toMatchObject({
      message: 'getaddrinfo EAI_NONAME: name or service not known localhost',
      errno: -2,
      syscall: 'getaddrinfo',
    })
    expect(failure(() => getaddrinfo(null, null)).message).toBe('getaddrinfo EAI_NONAME: name or service not known')
  })

  test('RangeError: a NUL, behind which C would not look', () => {
    expect(() => getaddrinfo('127.0.0.1\0.example', null)).toThrow(RangeError)
    expect(() => getaddrinfo(null, '80\x001')).toThrow(RangeError)
  })

  test('gives back what libc allocated, in a program that never returns to the event loop too', async () => {
    const { grown } = await results<{ grown: number }>(process.execPath, '--expose-gc', program('resolving.ts'))
    // 100,000 calls with three results each: without freeaddrinfo 20 MB and more would be left.
    expect(grown).toBeLessThan(8 * 1024 * 1024)
  })
})

test('gethostname is the name that Node has', () => {
  expect(gethostname()).toBe(hostname())
})

describe('inet_aton, inet_addr', () => {
  test.each([
    ['127.0.0.1', '7f000001'],
    ['127.1', '7f000001'],
    ['0x7f.1', '7f000001'],
    ['010.0.0.1', '08000001'],
    ['2130706433', '7f000001'],
  ])('%s', (text, bytes) => {
    expect(inet_aton(text)?.toString('hex')).toBe(bytes)
    expect(Buffer.from(Uint32Array.of(inet_addr(text)).buffer).toString('hex')).toBe(bytes)
  })

  test('what is no address', () => {
    expect(inet_aton('256.0.0.1')).toBeNull()
    expect(inet_aton('localhost')).toBeNull()
    expect(inet_addr('localhost')).toBe(0xffffffff)
    expect(inet_addr('255.255.255.255')).toBe(0xffffffff)
    expect(() => inet_aton('127.1\0')).toThrow(RangeError)
    expect(() => inet_addr('127.1\0')).toThrow(RangeError)
  })
})
