import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { describe, expect, inject, test } from 'vitest'
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EMSGSIZE,
  ENOTCONN,
  FD_CLOEXEC,
  FIONREAD,
  F_GETFD,
  F_GETFL,
  IPPROTO_TCP,
  IPPROTO_UDP,
  MSG_DONTWAIT,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  O_NONBLOCK,
  POLLIN,
  POLLOUT,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDTIMEO,
  TCP_USER_TIMEOUT,
  accept,
  accept4,
  bind,
  close,
  connect,
  endpoint,
  fcntl,
  getpeername,
  getsockname,
  getsockoptInt,
  ioctl,
  linger,
  listen,
  recv,
  recvfrom,
  send,
  sendto,
  setsockopt,
  shutdown,
  sockaddr,
  sockaddr_in6,
  sockaddr_storage,
  sockaddr_un,
  socket,
  socketpair,
  timeval,
  tryAccept,
  tryRecv,
  tryRecvfrom,
  trySend,
  trySendto,
} from '#posix'
import { placeOrSkip } from '../support/namespace.ts'
import {
  NOT_OPEN,
  abstract,
  bound,
  closeAfterEach,
  closed,
  code,
  connected,
  datagram,
  failure,
  listening,
  opened,
  own,
  program,
  results,
  stream,
  unixConnected,
  until,
} from './sockets.ts'

closeAfterEach()

const buf = Buffer.alloc(65_536)

/** Closes with a reset: nobody waits for what was not sent. */
function reset(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, linger(true, 0))
  closed(fd)
}

describe('every call', () => {
  const addr = sockaddr('127.0.0.1', 1)
  const calls: [string, (fd: number) => unknown][] = [
    ['bind', (fd) => bind(fd, addr)],
    ['listen', (fd) => listen(fd, 1)],
    ['accept', (fd) => accept(fd)],
    ['connect', (fd) => connect(fd, addr)],
    ['shutdown', (fd) => shutdown(fd, SHUT_WR)],
    ['getsockname', (fd) => getsockname(fd, sockaddr_storage())],
    ['getpeername', (fd) => getpeername(fd, sockaddr_storage())],
    ['send', (fd) => send(fd, buf, 1, 0)],
    ['recv', (fd) => recv(fd, buf, 1, 0)],
    ['sendto', (fd) => sendto(fd, buf, 1, 0, addr)],
    ['recvfrom', (fd) => recvfrom(fd, buf, 1, 0, sockaddr_storage())],
  ]

  test.each(calls)('%s: EBADF for what is not open', (name, call) => {
    expect(failure(() => call(NOT_OPEN))).toMatchObject({ code: 'EBADF', errno: -EBADF, syscall: name })
  })

  test.each(calls)('%s: ENOTSOCK for a descriptor of something else', (name, call) => {
    const file = openSync(import.meta.filename, 'r')
    try {
      expect(failure(() => call(file))).toMatchObject({ code: 'ENOTSOCK', syscall: name })
    } finally {
      closeSync(file)
    }
  })
})

describe('socket', () => {
  test('returns a blocking descriptor that stays open in exec', () => {
    const fd = stream()
    expect(fd).toBeGreaterThan(2)
    expect(fcntl(fd, F_GETFL) & O_NONBLOCK).toBe(0)
    expect(fcntl(fd, F_GETFD) & FD_CLOEXEC).toBe(0)
  })

  test('SOCK_NONBLOCK and SOCK_CLOEXEC are there from the start', () => {
    const fd = stream(SOCK_NONBLOCK | SOCK_CLOEXEC)
    expect(fcntl(fd, F_GETFL) & O_NONBLOCK).toBe(O_NONBLOCK)
    expect(fcntl(fd, F_GETFD) & FD_CLOEXEC).toBe(FD_CLOEXEC)
  })

  test.each([
    ['EAFNOSUPPORT', 'a family that is none', 99, SOCK_STREAM, 0],
    ['EPROTONOSUPPORT', 'UDP as a stream', AF_INET, SOCK_STREAM, IPPROTO_UDP],
    ['EPROTONOSUPPORT', 'TCP as datagrams', AF_INET, SOCK_DGRAM, IPPROTO_TCP],
    ['ESOCKTNOSUPPORT', 'a type that the family does not have', AF_INET, SOCK_RDM, 0],
    ['EINVAL', 'a type that is none', AF_INET, 99, 0],
  ])('%s: %s', (expected, _what, domain, type, protocol) => {
    expect(code(() => socket(domain, type, protocol))).toBe(expected)
  })
})

describe('socketpair', () => {
  test('returns two ends; what one sends is there for the other at once', () => {
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0).map(opened)
    expect(fcntl(one!, F_GETFD) & fcntl(other!, F_GETFD) & FD_CLOEXEC).toBe(FD_CLOEXEC)
    expect(send(one!, Buffer.from('hello'), 5, 0)).toBe(5)
    expect(recv(other!, buf, buf.length, 0)).toBe(5)
    expect(code(() => recv(other!, buf, buf.length, 0))).toBe('EAGAIN')
  })

  test('EOPNOTSUPP: a family in which both ends need an address', () => {
    expect(failure(() => socketpair(AF_INET, SOCK_STREAM, 0))).toMatchObject({
      code: 'EOPNOTSUPP',
      syscall: 'socketpair',
    })
  })
})

describe('bind', () => {
  test('gives an address; port 0 becomes a free port', () => {
    const { address, port } = endpoint(own(bound(stream())))
    expect(address).toBe('127.0.0.1')
    expect(port).toBeGreaterThan(0)
  })

  test('EADDRINUSE: somebody listens there', () => {
    const addr = own(listening())
    const { port } = endpoint(addr)
    expect(failure(() => bind(stream(), addr))).toMatchObject({
      message: `bind EADDRINUSE: address already in use 127.0.0.1:${port}`,
      address: '127.0.0.1',
      port,
    })
  })

  test('EADDRNOTAVAIL: an address of no interface here', () => {
    const error = failure(() => bind(stream(), sockaddr('203.0.113.1', 0)))
    expect(error.message).toBe('bind EADDRNOTAVAIL: address not available 203.0.113.1:0')
  })

  test('EINVAL: bound already', () => {
    const fd = bound(stream())
    expect(code(() => bind(fd, sockaddr('127.0.0.1', 0)))).toBe('EINVAL')
  })

  test('EINVAL: an address that is too short, which the error cannot tell', () => {
    const error = failure(() => bind(stream(), sockaddr('127.0.0.1', 0).subarray(0, 6)))
    expect(error.message).toBe('bind EINVAL: invalid argument')
    expect(error).not.toHaveProperty('address')
  })

  test('EAFNOSUPPORT: an address of another family', () => {
    expect(code(() => bind(stream(), sockaddr_in6('::', 0)))).toBe('EAFNOSUPPORT')
  })

  test('unix: a path is bound once, until somebody removes it', () => {
    const addr = sockaddr_un(join(inject('runFolder'), 'bound-once'))
    const path = endpoint(addr).address
    bind(opened(socket(AF_UNIX, SOCK_STREAM, 0)), addr)
    const second = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    const error = failure(() => bind(second, addr))
    expect(error.message).toBe(`bind EADDRINUSE: address already in use ${path}`)
    expect(error).toMatchObject({ address: path })
    expect(error).not.toHaveProperty('port')
    rmSync(path)
    bind(second, addr)
    rmSync(path)
  })

  test('unix: ENOENT, a folder that is not there', () => {
    const fd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    expect(code(() => bind(fd, sockaddr_un(join(inject('runFolder'), 'missing', 'path'))))).toBe('ENOENT')
  })
})

describe('listen', () => {
  test('a socket without an address gets a free port', () => {
    const fd = stream()
    listen(fd, 1)
    expect(endpoint(own(fd)).port).toBeGreaterThan(0)
  })

  test('EADDRINUSE: two may be bound to a port with SO_REUSEADDR, one of them may listen', () => {
    const first = stream()
    setsockopt(first, SOL_SOCKET, SO_REUSEADDR, 1)
    bound(first)
    const second = stream()
    setsockopt(second, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(second, own(first))
    listen(first, 1)
    expect(code(() => listen(second, 1))).toBe('EADDRINUSE')
  })

  test('EOPNOTSUPP: a datagram socket', () => {
    expect(code(() => listen(bound(datagram()), 1))).toBe('EOPNOTSUPP')
  })

  test('EINVAL: a connected socket', () => {
    expect(code(() => listen(connected().clientFd, 1))).toBe('EINVAL')
  })
})

describe('accept', () => {
  test("returns a connection, and the peer's address", () => {
    const listenFd = listening()
    const clientFd = stream()
    connect(clientFd, own(listenFd))
    const peer = sockaddr_storage()
    const connFd = opened(accept(listenFd, peer))
    expect(endpoint(peer)).toEqual(endpoint(own(clientFd)))
    send(clientFd, Buffer.from('hello'), 5, 0)
    expect(recv(connFd, buf, 5, MSG_WAITALL)).toBe(5)
    expect(buf.toString('latin1', 0, 5)).toBe('hello')
  })

  test('of a non-blocking socket returns a blocking one', () => {
    const listenFd = listening(1, SOCK_NONBLOCK | SOCK_CLOEXEC)
    connect(stream(), own(listenFd))
    const connFd = opened(accept(listenFd))
    expect(fcntl(connFd, F_GETFL) & O_NONBLOCK).toBe(0)
    expect(fcntl(connFd, F_GETFD) & FD_CLOEXEC).toBe(0)
  })

  test.each([
    ['SOCK_NONBLOCK', SOCK_NONBLOCK, O_NONBLOCK, 0],
    ['SOCK_CLOEXEC', SOCK_CLOEXEC, 0, FD_CLOEXEC],
    ['both', SOCK_NONBLOCK | SOCK_CLOEXEC, O_NONBLOCK, FD_CLOEXEC],
  ])('accept4 with %s', (_name, flags, nonBlocking, closeOnExec) => {
    const listenFd = listening()
    connect(stream(), own(listenFd))
    const connFd = opened(accept4(listenFd, undefined, flags))
    expect(fcntl(connFd, F_GETFL) & O_NONBLOCK).toBe(nonBlocking)
    expect(fcntl(connFd, F_GETFD) & FD_CLOEXEC).toBe(closeOnExec)
  })

  test('EINVAL: accept4 with other flags', () => {
    expect(code(() => accept4(listening(), undefined, 1))).toBe('EINVAL')
  })

  test('EAGAIN: nobody has come, on a non-blocking socket', () => {
    const listenFd = listening(1, SOCK_NONBLOCK)
    expect(failure(() => accept(listenFd))).toMatchObject({
      message: 'accept EAGAIN: resource temporarily unavailable',
      syscall: 'accept',
    })
    expect(tryAccept(listenFd, sockaddr_storage(), 0)).toBe(-EAGAIN)
  })

  test('EAGAIN: nobody has come within SO_RCVTIMEO', () => {
    const listenFd = listening()
    setsockopt(listenFd, SOL_SOCKET, SO_RCVTIMEO, timeval(1))
    expect(code(() => accept(listenFd))).toBe('EAGAIN')
  })

  test('EINVAL: not listening, or shut down', () => {
    expect(code(() => accept(bound(stream())))).toBe('EINVAL')
    const listenFd = listening()
    shutdown(listenFd, SHUT_RDWR)
    expect(code(() => accept(listenFd))).toBe('EINVAL')
  })

  test('EOPNOTSUPP: a datagram socket', () => {
    expect(code(() => accept(bound(datagram())))).toBe('EOPNOTSUPP')
  })

  test('no ECONNABORTED on Linux: a connection that was reset in the queue is handed out all the same', () => {
    const listenFd = listening()
    const clientFd = stream()
    connect(clientFd, own(listenFd))
    reset(clientFd)
    const connFd = opened(accept(listenFd))
    expect(code(() => recv(connFd, buf, 1, 0))).toBe('ECONNRESET')
  })
})

describe('connect', () => {
  test('ECONNREFUSED: nobody listens there', () => {
    const addr = own(bound(stream()))
    const { port } = endpoint(addr)
    expect(failure(() => connect(stream(), addr))).toMatchObject({
      message: `connect ECONNREFUSED: connection refused 127.0.0.1:${port}`,
      address: '127.0.0.1',
      port,
    })
  })

  test('EISCONN: connected already', () => {
    const { clientFd } = connected()
    expect(code(() => connect(clientFd, sockaddr('127.0.0.1', 1)))).toBe('EISCONN')
  })

  test('EINPROGRESS on a non-blocking socket, which becomes writable once connected', () => {
    const fd = stream(SOCK_NONBLOCK)
    expect(code(() => connect(fd, own(listening())))).toBe('EINPROGRESS')
    expect(until(fd, POLLOUT)).toBe(POLLOUT)
    expect(getsockoptInt(fd, SOL_SOCKET, SO_ERROR)).toBe(0)
  })

  test('a refusal that comes later is in SO_ERROR', () => {
    const addr = own(bound(stream()))
    const fd = stream(SOCK_NONBLOCK)
    expect(code(() => connect(fd, addr))).toBe('EINPROGRESS')
    until(fd, POLLOUT)
    expect(getsockoptInt(fd, SOL_SOCKET, SO_ERROR)).toBe(ECONNREFUSED)
  })

  describe('where the accept queue is full', () => {
    /** The address of a socket whose queue has room for one connection, and has it. */
    function full(): Buffer {
      const listenFd = listening(0)
      connect(stream(), own(listenFd))
      until(listenFd, POLLIN) // connect returns before the connection is in the queue
      return own(listenFd)
    }

    test('EALREADY: asked again while it is under way', () => {
      const fd = stream(SOCK_NONBLOCK)
      const addr = full()
      expect(code(() => connect(fd, addr))).toBe('EINPROGRESS')
      expect(code(() => connect(fd, addr))).toBe('EALREADY')
    })

    test('EINPROGRESS on a blocking socket: SO_SNDTIMEO has passed', () => {
      const fd = stream()
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(1))
      expect(code(() => connect(fd, full()))).toBe('EINPROGRESS')
    })

    test('ETIMEDOUT: no answer within TCP_USER_TIMEOUT, looked at when it is time to send again', () => {
      const fd = stream()
      setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1)
      expect(code(() => connect(fd, full()))).toBe('ETIMEDOUT')
    })
  })

  test('EADDRNOTAVAIL: the same two ends are connected already', () => {
    const listenFd = listening()
    const [first, second] = [stream(), stream()] as const
    for (const fd of [first, second]) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    bound(first)
    bind(second, own(first))
    connect(first, own(listenFd))
    expect(code(() => connect(second, own(listenFd)))).toBe('EADDRNOTAVAIL')
  })

  test('EAFNOSUPPORT: an address of another family', () => {
    expect(code(() => connect(stream(), sockaddr_in6('::1', 1)))).toBe('EAFNOSUPPORT')
  })

  test('EACCES: a broadcast address without SO_BROADCAST', () => {
    expect(code(() => connect(datagram(), sockaddr('127.255.255.255', 9)))).toBe('EACCES')
  })

  test('an address of AF_UNSPEC takes the peer of a datagram socket away', () => {
    const fd = datagram()
    connect(fd, own(bound(datagram())))
    connect(fd, Buffer.alloc(16))
    expect(code(() => getpeername(fd, sockaddr_storage()))).toBe('ENOTCONN')
  })

  test('unix: ECONNREFUSED for an address that nobody has', () => {
    const addr = abstract()
    const error = failure(() => connect(opened(socket(AF_UNIX, SOCK_STREAM, 0)), addr))
    expect(error.message).toBe(`connect ECONNREFUSED: connection refused ${endpoint(addr).address}`)
    expect(error.address).toMatch(/^@live-sockets-/)
  })
})

describe('shutdown', () => {
  test('SHUT_WR ends one direction and leaves the other', () => {
    const { clientFd, connFd } = connected()
    shutdown(clientFd, SHUT_WR)
    expect(recv(connFd, buf, 1, 0)).toBe(0)
    send(connFd, Buffer.from('still'), 5, 0)
    expect(recv(clientFd, buf, 5, MSG_WAITALL)).toBe(5)
  })

  test('SHUT_RD: recv has nothing to wait for', () => {
    const { clientFd } = connected()
    shutdown(clientFd, SHUT_RD)
    expect(recv(clientFd, buf, 1, 0)).toBe(0)
  })

  test('ENOTCONN: no connection', () => {
    expect(code(() => shutdown(stream(), SHUT_WR))).toBe('ENOTCONN')
  })

  test('EINVAL: no such direction', () => {
    expect(code(() => shutdown(connected().clientFd, 9))).toBe('EINVAL')
  })
})

describe('close', () => {
  test('the peer sees the end of the stream', () => {
    const { clientFd, connFd } = connected()
    closed(clientFd)
    expect(recv(connFd, buf, 1, 0)).toBe(0)
  })

  test('EBADF: not open', () => {
    expect(failure(() => close(NOT_OPEN))).toMatchObject({
      message: 'close EBADF: bad file descriptor',
      syscall: 'close',
    })
  })
})

describe('getsockname, getpeername', () => {
  test('each end has the other for a peer', () => {
    const { clientFd, connFd } = connected()
    const peer = (fd: number) => endpoint(getpeername(fd, sockaddr_storage()))
    expect(peer(clientFd)).toEqual(endpoint(own(connFd)))
    expect(peer(connFd)).toEqual(endpoint(own(clientFd)))
  })

  test('return the buffer that they filled', () => {
    const addr = sockaddr_storage()
    expect(getsockname(stream(), addr)).toBe(addr)
  })

  test('ENOTCONN: no peer', () => {
    expect(code(() => getpeername(bound(stream()), sockaddr_storage()))).toBe('ENOTCONN')
  })

  test('a buffer that is too short gets the start of the address, and nothing is written behind it', () => {
    const memory = Buffer.alloc(16, 0xee)
    getsockname(bound(stream()), memory.subarray(0, 4))
    expect(memory.readUInt16LE(0)).toBe(AF_INET)
    expect(memory.subarray(4)).toEqual(Buffer.alloc(12, 0xee))
  })
})

describe('an address buffer that is used again', () => {
  const stale = (): Buffer => Buffer.alloc(128, 0xee)
  const restOf = (addr: Buffer, used: number): Buffer => addr.subarray(used)

  test('accept, getsockname and getpeername leave nothing of an earlier address', () => {
    const listenFd = listening()
    const clientFd = stream()
    connect(clientFd, own(listenFd))
    const peer = stale()
    opened(accept(listenFd, peer))
    expect(restOf(peer, 16)).toEqual(Buffer.alloc(112))
    expect(restOf(getsockname(clientFd, stale()), 16)).toEqual(Buffer.alloc(112))
    expect(restOf(getpeername(clientFd, stale()), 16)).toEqual(Buffer.alloc(112))
  })

  test('recvfrom neither', () => {
    const fd = bound(datagram())
    sendto(fd, buf, 1, 0, own(fd))
    const from = stale()
    recvfrom(fd, buf, 1, 0, from)
    expect(restOf(from, 16)).toEqual(Buffer.alloc(112))
    expect(endpoint(from)).toEqual(endpoint(own(fd)))
  })

  test('a unix socket without a name has an empty one', () => {
    const { clientFd, connFd } = unixConnected()
    expect(endpoint(getsockname(clientFd, stale()))).toEqual({ family: AF_UNIX, address: '' })
    expect(endpoint(getpeername(connFd, stale()))).toEqual({ family: AF_UNIX, address: '' })
  })

  test('a call that fails leaves the buffer alone', () => {
    const addr = stale()
    expect(tryRecvfrom(bound(datagram()), buf, 1, MSG_DONTWAIT, addr)).toBe(-EAGAIN)
    expect(tryAccept(listening(1, SOCK_NONBLOCK), addr, 0)).toBe(-EAGAIN)
    expect(addr).toEqual(stale())
  })
})

describe('send', () => {
  test('takes a part when there is no room for all, then EAGAIN', () => {
    const { clientFd, connFd } = unixConnected() // where no acknowledgement makes room meanwhile
    const large = Buffer.alloc(64 * 1024 * 1024)
    const sent = send(clientFd, large, large.length, MSG_DONTWAIT)
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(large.length)
    while (trySend(clientFd, buf, 1, MSG_DONTWAIT) === 1);
    expect(trySend(clientFd, buf, 1, MSG_DONTWAIT)).toBe(-EAGAIN)
    expect(code(() => send(clientFd, buf, 1, MSG_DONTWAIT))).toBe('EAGAIN')
    setsockopt(clientFd, SOL_SOCKET, SO_SNDTIMEO, timeval(1))
    expect(code(() => send(clientFd, buf, 1, 0))).toBe('EAGAIN')
    expect(recv(connFd, buf, 1, 0)).toBe(1)
  })

  test('EPIPE, and no signal: after shutdown, or on a stream that never was connected', () => {
    const { clientFd } = connected()
    shutdown(clientFd, SHUT_WR)
    expect(failure(() => send(clientFd, buf, 1, 0)).message).toBe('send EPIPE: broken pipe')
    expect(code(() => send(stream(), buf, 1, 0))).toBe('EPIPE')
  })

  test('ECONNRESET once for a reset, EPIPE from then on', () => {
    const { clientFd, connFd } = connected()
    reset(connFd)
    until(clientFd, POLLIN)
    expect(code(() => send(clientFd, buf, 1, 0))).toBe('ECONNRESET')
    expect(code(() => send(clientFd, buf, 1, 0))).toBe('EPIPE')
  })

  test('EMSGSIZE: more than 65,507 bytes in a datagram', () => {
    const fd = bound(datagram())
    connect(fd, own(fd))
    expect(send(fd, buf, 65_507, 0)).toBe(65_507)
    expect(trySend(fd, buf, 65_508, 0)).toBe(-EMSGSIZE)
    expect(code(() => sendto(fd, buf, 65_508, 0, own(fd)))).toBe('EMSGSIZE')
  })

  test('EDESTADDRREQ: a datagram socket without a peer', () => {
    expect(code(() => send(datagram(), buf, 1, 0))).toBe('EDESTADDRREQ')
  })

  test('ENOTCONN: a unix stream without a peer', () => {
    expect(code(() => send(opened(socket(AF_UNIX, SOCK_STREAM, 0)), buf, 1, 0))).toBe('ENOTCONN')
  })

  test('EOPNOTSUPP: a flag that datagrams do not have', () => {
    const fd = bound(datagram())
    connect(fd, own(fd))
    expect(code(() => send(fd, buf, 1, MSG_OOB))).toBe('EOPNOTSUPP')
  })

  test('ECONNREFUSED: an earlier datagram found nobody', () => {
    const nobody = bound(datagram())
    const fd = datagram()
    connect(fd, own(nobody))
    closed(nobody)
    send(fd, buf, 1, 0)
    until(fd, POLLIN)
    expect(code(() => send(fd, buf, 1, 0))).toBe('ECONNREFUSED')
    send(fd, buf, 1, 0)
    until(fd, POLLIN)
    expect(tryRecv(fd, buf, 1, 0)).toBe(-ECONNREFUSED)
  })
})

describe('recv', () => {
  test('takes what is there; MSG_PEEK leaves it; MSG_WAITALL waits for all', () => {
    const { clientFd, connFd } = connected()
    send(clientFd, Buffer.from('abc'), 3, 0)
    expect(recv(connFd, buf, 3, MSG_PEEK | MSG_WAITALL)).toBe(3)
    const waiting = Buffer.alloc(4)
    ioctl(connFd, FIONREAD, waiting)
    expect(waiting.readInt32LE()).toBe(3)
    expect(recv(connFd, buf, 2, 0)).toBe(2)
    expect(recv(connFd, buf, buf.length, 0)).toBe(1)
    expect(buf.toString('latin1', 0, 1)).toBe('c')
  })

  test('writes no further than it says', () => {
    const fd = bound(datagram())
    const memory = Buffer.alloc(8, 0xee)
    sendto(fd, Buffer.from('abcdef'), 6, 0, own(fd))
    expect(recv(fd, memory, 3, 0)).toBe(3)
    expect(memory.toString('latin1')).toBe('abc\xee\xee\xee\xee\xee')
  })

  test('EAGAIN: MSG_DONTWAIT, O_NONBLOCK, SO_RCVTIMEO', () => {
    const { clientFd } = connected()
    expect(tryRecv(clientFd, buf, 1, MSG_DONTWAIT)).toBe(-EAGAIN)
    expect(code(() => recv(bound(datagram(SOCK_NONBLOCK)), buf, 1, 0))).toBe('EAGAIN')
    setsockopt(clientFd, SOL_SOCKET, SO_RCVTIMEO, timeval(1))
    expect(code(() => recv(clientFd, buf, 1, 0))).toBe('EAGAIN')
  })

  test('ECONNRESET once, then the end of the stream', () => {
    const { clientFd, connFd } = connected()
    reset(clientFd)
    expect(failure(() => recv(connFd, buf, 1, 0)).message).toBe('recv ECONNRESET: connection reset by peer')
    expect(recv(connFd, buf, 1, 0)).toBe(0)
  })

  test('ENOTCONN: a stream without a peer', () => {
    const fd = stream()
    expect(tryRecv(fd, buf, 1, 0)).toBe(-ENOTCONN)
    expect(code(() => recv(fd, buf, 1, 0))).toBe('ENOTCONN')
  })

  test('EINVAL: MSG_OOB where nothing is urgent', () => {
    expect(code(() => recv(connected().clientFd, buf, 1, MSG_OOB))).toBe('EINVAL')
  })
})

describe('sendto, recvfrom', () => {
  test('a datagram arrives whole, and with the address of who sent it', () => {
    const [here, there] = [bound(datagram()), bound(datagram())] as const
    expect(sendto(here, Buffer.from('hello'), 5, 0, own(there))).toBe(5)
    expect(sendto(here, buf, 0, 0, own(there))).toBe(0)
    const from = sockaddr_storage()
    expect(recvfrom(there, buf, buf.length, 0, from)).toBe(5)
    expect(buf.toString('latin1', 0, 5)).toBe('hello')
    expect(endpoint(from)).toEqual(endpoint(own(here)))
    expect(recvfrom(there, buf, buf.length, 0, from)).toBe(0)
  })

  test('an address from recvfrom is good for the answer', () => {
    const [here, there] = [bound(datagram()), bound(datagram())] as const
    sendto(here, Buffer.from('ping'), 4, 0, own(there))
    const from = sockaddr_storage()
    recvfrom(there, buf, buf.length, 0, from)
    expect(trySendto(there, Buffer.from('pong'), 4, 0, from)).toBe(4)
    expect(recv(here, buf, buf.length, 0)).toBe(4)
  })

  test('what does not fit is lost; MSG_TRUNC tells how much there was', () => {
    const fd = bound(datagram())
    for (let i = 0; i < 2; i++) sendto(fd, Buffer.from('hello'), 5, 0, own(fd))
    const from = sockaddr_storage()
    expect(recvfrom(fd, buf, 2, MSG_TRUNC, from)).toBe(5)
    expect(recvfrom(fd, buf, 2, 0, from)).toBe(2)
    expect(tryRecvfrom(fd, buf, 2, MSG_DONTWAIT, from)).toBe(-EAGAIN)
  })

  test('on a connected stream the address counts for nothing, and none comes back', () => {
    const { clientFd, connFd } = connected()
    expect(sendto(clientFd, buf, 1, 0, sockaddr('203.0.113.1', 9))).toBe(1)
    const from = Buffer.alloc(16, 0xee)
    expect(recvfrom(connFd, buf, 1, 0, from)).toBe(1)
    expect(from).toEqual(Buffer.alloc(16))
  })

  test('EACCES: a broadcast address without SO_BROADCAST', () => {
    const error = failure(() => sendto(datagram(), buf, 1, 0, sockaddr('127.255.255.255', 9)))
    expect(error.message).toBe('sendto EACCES: permission denied 127.255.255.255:9')
  })

  test('EINVAL: port 0, and an address that is too short', () => {
    expect(code(() => sendto(datagram(), buf, 1, 0, sockaddr('127.0.0.1', 0)))).toBe('EINVAL')
    expect(code(() => sendto(datagram(), buf, 1, 0, sockaddr('127.0.0.1', 9).subarray(0, 8)))).toBe('EINVAL')
  })

  test('EAFNOSUPPORT: an address of another family', () => {
    expect(code(() => sendto(datagram(), buf, 1, 0, sockaddr_in6('::1', 9)))).toBe('EAFNOSUPPORT')
  })

  test('unix streams take no address: EISCONN with a peer, EOPNOTSUPP without', () => {
    expect(code(() => sendto(unixConnected().clientFd, buf, 1, 0, abstract()))).toBe('EISCONN')
    const fd = opened(socket(AF_UNIX, SOCK_STREAM, 0))
    expect(code(() => sendto(fd, buf, 1, 0, abstract()))).toBe('EOPNOTSUPP')
  })

  test('unix SEQPACKET keeps the boundaries of messages on a connection', () => {
    const addr = abstract()
    const listenFd = opened(socket(AF_UNIX, SOCK_SEQPACKET, 0))
    bind(listenFd, addr)
    listen(listenFd, 1)
    const clientFd = opened(socket(AF_UNIX, SOCK_SEQPACKET, 0))
    connect(clientFd, addr)
    const connFd = opened(accept(listenFd))
    send(clientFd, buf, 3, 0)
    send(clientFd, buf, 4, 0)
    expect(recv(connFd, buf, buf.length, 0)).toBe(3)
    expect(recv(connFd, buf, buf.length, 0)).toBe(4)
  })
})

describe('a length outside of the buffer never reaches the kernel', () => {
  const small = Buffer.alloc(8)
  const addr = sockaddr('127.0.0.1', 9)
  const calls: [string, (len: number) => unknown][] = [
    ['send', (len) => send(NOT_OPEN, small, len, 0)],
    ['recv', (len) => recv(NOT_OPEN, small, len, 0)],
    ['sendto', (len) => sendto(NOT_OPEN, small, len, 0, addr)],
    ['recvfrom', (len) => recvfrom(NOT_OPEN, small, len, 0, sockaddr_storage())],
  ]

  test.each(calls)('%s', (name, call) => {
    for (const len of [9, -1, Number.NaN, Infinity]) {
      const error = failure(() => call(len))
      expect(error).toBeInstanceOf(RangeError)
      expect(error.message).toBe(`${name}: len is ${len}, the buffer has 8 bytes`)
    }
    for (const len of [0, 8]) expect(code(() => call(len))).toBe('EBADF')
  })
})

describe('in another process', () => {
  test('EINTR: a signal with a JavaScript handler comes while a call waits', async () => {
    const outcome = await results<Record<string, string>>(process.execPath, program('interrupted.ts'))
    const { connect: ofConnect, 'the set after select': set, ...others } = outcome
    for (const [name, message] of Object.entries(others)) {
      expect(message).toBe(`${name} EINTR: interrupted system call`)
    }
    const calls = ['accept', 'epoll_wait', 'poll', 'recv', 'recvfrom', 'select', 'send']
    expect(Object.keys(others).toSorted()).toEqual(calls)
    expect(ofConnect).toMatch(/^connect EINTR: interrupted system call 127\.0\.0\.1:\d+$/)
    expect(set).toBe('as it was')
  })

  test('EMFILE: no descriptor is left; a connection stays in the accept queue for later', async () => {
    const limit = 40
    const command = `ulimit -n ${limit}; exec "$0" "$@"`
    const outcome = await results('sh', '-c', command, process.execPath, program('limited.ts'), `${limit}`)
    expect(outcome).toEqual({
      socket: 'socket EMFILE: too many open files',
      accept: 'accept EMFILE: too many open files',
      epoll_create1: 'epoll_create1 EMFILE: too many open files',
      poll: 'poll EINVAL: invalid argument',
      'accept, once there is room': 'a descriptor',
    })
  })

  const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  const asRoot = process.geteuid!() === 0
  test.skipIf(start < 2)('without privileges: EACCES for a low port, EPERM for a raw socket', async () => {
    const lost = '-net_bind_service,-net_raw,-net_admin'
    const drop = asRoot ? ['setpriv', `--inh-caps=${lost}`, `--bounding-set=${lost}`] : []
    const [command, ...args] = [...drop, process.execPath, program('denied.ts'), `${start - 1}`]
    expect(await results(command!, ...args)).toEqual({
      bind: `bind EACCES: permission denied 127.0.0.1:${start - 1}`,
      socket: 'socket EPERM: operation not permitted',
      setsockopt: 'setsockopt EPERM: operation not permitted',
    })
  })

  const namespace = placeOrSkip('in a network namespace')
  test.skipIf(namespace === undefined)('ENETUNREACH: no route', async () => {
    const [command, ...args] = [...namespace!.prefix, process.execPath, program('unreachable.ts')]
    expect(await results(command!, ...args)).toEqual({
      connect: 'connect ENETUNREACH: network is unreachable 192.0.2.1:9',
      sendto: 'sendto ENETUNREACH: network is unreachable 192.0.2.1:9',
    })
  })

  const counted = 'total_allocated_bytes' in getHeapStatistics() // Node 26
  test.skipIf(!counted)('the data path allocates nothing on the heap of JavaScript', async () => {
    const bytes = await results<Record<string, number>>(process.execPath, program('allocations.ts'))
    const { nothing, 'an object': anObject, ...calls } = bytes
    // The smallest object has 16 bytes. What is below 8 is not from the calls: the loop alone has as much.
    expect(nothing).toBeLessThan(8)
    expect(anObject).toBeGreaterThanOrEqual(16)
    expect(Object.keys(calls)).toHaveLength(13)
    for (const [name, each] of Object.entries(calls)) expect(each, name).toBeLessThan(8)
  })
})

test('IPv6 where it is: the same calls with longer addresses', ({ skip }) => {
  const listenFd = opened(socket(AF_INET6, SOCK_STREAM, 0))
  try {
    bind(listenFd, sockaddr('::1', 0))
  } catch {
    skip('no ::1 here')
  }
  listen(listenFd, 1)
  const addr = getsockname(listenFd, sockaddr_storage())
  const clientFd = opened(socket(AF_INET6, SOCK_STREAM, 0))
  connect(clientFd, addr)
  const peer = Buffer.alloc(128, 0xee)
  opened(accept(listenFd, peer))
  expect(endpoint(peer)).toEqual(endpoint(getsockname(clientFd, sockaddr_storage())))
  expect(peer.subarray(28)).toEqual(Buffer.alloc(100))
  expect(failure(() => bind(opened(socket(AF_INET6, SOCK_STREAM, 0)), addr)).message).toBe(
    `bind EADDRINUSE: address already in use [::1]:${endpoint(addr).port}`,
  )
})
