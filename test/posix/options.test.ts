import { closeSync, openSync } from 'node:fs'
import { endianness } from 'node:os'
import { describe, expect, test } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EPOLL_CLOEXEC,
  FD_CLOEXEC,
  FIONREAD,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MTU,
  IP_MULTICAST_TTL,
  O_ASYNC,
  O_NONBLOCK,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PROTOCOL,
  SO_RCVTIMEO,
  SO_TYPE,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
  close,
  epoll_create1,
  fcntl,
  getsockopt,
  getsockoptInt,
  ioctl,
  ip_mreqn,
  linger,
  send,
  setNonBlocking,
  setsockopt,
  socket,
  timeval,
} from '#posix'
import {
  NOT_OPEN,
  closeAfterEach,
  code,
  connected,
  datagram,
  failure,
  listening,
  opened,
  stream,
  until,
} from './sockets.ts'

closeAfterEach()

describe('getsockopt, setsockopt', () => {
  test('an int goes in and comes out', () => {
    const fd = stream()
    expect(getsockoptInt(fd, IPPROTO_TCP, TCP_NODELAY)).toBe(0)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1)
    expect(getsockoptInt(fd, IPPROTO_TCP, TCP_NODELAY)).toBe(1)
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 2_000_000_000)
    expect(getsockoptInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT)).toBe(2_000_000_000)
  })

  test('a structure goes in and comes out, and its length is told', () => {
    const fd = stream()
    setsockopt(fd, SOL_SOCKET, SO_LINGER, linger(true, 7))
    const value = Buffer.alloc(32, 0xee)
    expect(getsockopt(fd, SOL_SOCKET, SO_LINGER, value)).toBe(8)
    expect(value.subarray(0, 8)).toEqual(Buffer.from(linger(true, 7)))
    expect(value.subarray(8)).toEqual(Buffer.alloc(24, 0xee))

    // The kernel keeps a time in ticks of its clock, of which a second has 100 to 1,000.
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(1500))
    expect(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, value)).toBe(16)
    expect(value.subarray(0, 16)).toEqual(Buffer.from(timeval(1500)))
  })

  test('an option of one byte is read into a clean int', () => {
    const fd = datagram()
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255)
    getsockoptInt(fd, SOL_SOCKET, SO_TYPE)
    expect(getsockoptInt(fd, IPPROTO_IP, IP_MULTICAST_TTL)).toBe(255)
  })

  test('what a socket is', () => {
    const about = (fd: number) =>
      [SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN].map((name) => getsockoptInt(fd, SOL_SOCKET, name))
    expect(about(stream())).toEqual([AF_INET, SOCK_STREAM, IPPROTO_TCP, 0])
    expect(about(listening())).toEqual([AF_INET, SOCK_STREAM, IPPROTO_TCP, 1])
    expect(about(datagram())).toEqual([AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0])
    expect(about(opened(socket(AF_UNIX, SOCK_STREAM, 0)))).toEqual([AF_UNIX, SOCK_STREAM, 0, 0])
  })

  test('ENOPROTOOPT: no such option at that level', () => {
    expect(failure(() => getsockoptInt(stream(), SOL_SOCKET, 9999))).toMatchObject({
      message: 'getsockopt ENOPROTOOPT: protocol not available',
      syscall: 'getsockopt',
    })
    expect(code(() => setsockopt(stream(), IPPROTO_TCP, 9999, 1))).toBe('ENOPROTOOPT')
  })

  test('EOPNOTSUPP: a level that the socket does not have', () => {
    const fd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    expect(code(() => getsockoptInt(fd, IPPROTO_TCP, TCP_NODELAY))).toBe('EOPNOTSUPP')
    expect(code(() => getsockoptInt(datagram(), IPPROTO_TCP, TCP_NODELAY))).toBe('EOPNOTSUPP')
  })

  test('EINVAL: too few bytes', () => {
    expect(code(() => setsockopt(stream(), SOL_SOCKET, SO_KEEPALIVE, new Uint8Array(1)))).toBe('EINVAL')
    expect(code(() => setsockopt(stream(), SOL_SOCKET, SO_LINGER, new Uint8Array(4)))).toBe('EINVAL')
  })

  test('EDOM: a timeval with a million microseconds', () => {
    const value = new Uint8Array(BigInt64Array.of(0n, 1_000_000n).buffer)
    expect(code(() => setsockopt(stream(), SOL_SOCKET, SO_RCVTIMEO, value))).toBe('EDOM')
  })

  test('ENOTCONN: the MTU of a path, without a peer', () => {
    expect(code(() => getsockoptInt(stream(), IPPROTO_IP, IP_MTU))).toBe('ENOTCONN')
    expect(getsockoptInt(connected().clientFd, IPPROTO_IP, IP_MTU)).toBeGreaterThan(0)
  })

  test('EBADF, ENOTSOCK', () => {
    expect(code(() => getsockoptInt(NOT_OPEN, SOL_SOCKET, SO_TYPE))).toBe('EBADF')
    expect(code(() => setsockopt(NOT_OPEN, SOL_SOCKET, SO_KEEPALIVE, 1))).toBe('EBADF')
    const file = openSync(import.meta.filename, 'r')
    expect(code(() => getsockoptInt(file, SOL_SOCKET, SO_TYPE))).toBe('ENOTSOCK')
    closeSync(file)
  })
})

describe('timeval', () => {
  test.each([
    [0, 0n, 0n],
    [1, 0n, 1000n],
    [1500, 1n, 500_000n],
    [0.25, 0n, 250n],
    [999.9999, 1n, 0n], // rounds up into the next second
  ])('%d ms', (milliseconds, seconds, microseconds) => {
    expect(new BigInt64Array(timeval(milliseconds).buffer)).toEqual(BigInt64Array.of(seconds, microseconds))
  })
})

test('ip_mreqn: a group, an address, the number of an interface', () => {
  const bytes = Uint8Array.of(239, 1, 2, 3, 127, 0, 0, 1, 0, 0, 0, 0)
  new DataView(bytes.buffer).setInt32(8, 7, endianness() === 'LE')
  expect(ip_mreqn('239.1.2.3', '127.0.0.1', 7)).toEqual(bytes)
  expect(code(() => ip_mreqn('nowhere', '127.0.0.1'))).toBe('EINVAL')
  const fd = datagram()
  setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreqn('239.1.2.3', '127.0.0.1'))
  expect(code(() => setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreqn('239.1.2.3', '127.0.0.1')))).toBe(
    'EADDRINUSE',
  )
  setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, ip_mreqn('239.1.2.3', '127.0.0.1'))
  expect(code(() => setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, ip_mreqn('239.1.2.3', '127.0.0.1')))).toBe(
    'EADDRNOTAVAIL',
  )
  expect(code(() => setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreqn('192.0.2.9', '127.0.0.1')))).toBe('EINVAL')
})

describe('fcntl, ioctl', () => {
  test('setNonBlocking adds one flag to those that are there', () => {
    const fd = stream()
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC)
    const before = fcntl(fd, F_GETFL)
    setNonBlocking(fd)
    expect(fcntl(fd, F_GETFL)).toBe(before | O_NONBLOCK)
    expect(before & O_ASYNC).toBe(O_ASYNC)
  })

  test('FD_CLOEXEC belongs to the descriptor', () => {
    const fd = stream()
    fcntl(fd, F_SETFD, FD_CLOEXEC)
    expect(fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC)
    const epfd = epoll_create1(EPOLL_CLOEXEC)
    expect(fcntl(epfd, F_GETFD)).toBe(FD_CLOEXEC)
    close(epfd)
  })

  test('EBADF, and EINVAL for a command that is none', () => {
    expect(failure(() => fcntl(NOT_OPEN, F_GETFL)).message).toBe('fcntl EBADF: bad file descriptor')
    expect(code(() => fcntl(stream(), 9999))).toBe('EINVAL')
  })

  test('FIONREAD: the bytes that wait to be read', () => {
    const { clientFd, connFd } = connected()
    const count = new Int32Array(1)
    ioctl(connFd, FIONREAD, new Uint8Array(count.buffer))
    expect(count[0]).toBe(0)
    send(clientFd, Buffer.alloc(300), 300, 0)
    until(connFd, POLLIN)
    ioctl(connFd, FIONREAD, new Uint8Array(count.buffer))
    expect(count[0]).toBe(300)
  })

  test('EBADF, and ENOTTY for a request that the descriptor does not know', () => {
    const argument = new Uint8Array(64)
    expect(failure(() => ioctl(NOT_OPEN, FIONREAD, argument)).syscall).toBe('ioctl')
    expect(code(() => ioctl(NOT_OPEN, FIONREAD, argument))).toBe('EBADF')
    const TIOCGWINSZ = 0x5413 // the size of a terminal's window
    expect(code(() => ioctl(stream(), TIOCGWINSZ, argument))).toBe('ENOTTY')
  })
})

test('an IPv6 socket can be made, or the kernel says that it has none', () => {
  let fd: number
  try {
    fd = opened(socket(AF_INET6, SOCK_STREAM, 0))
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAFNOSUPPORT' })
    return
  }
  expect(getsockoptInt(fd, SOL_SOCKET, SO_DOMAIN)).toBe(AF_INET6)
})
