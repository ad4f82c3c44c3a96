// The calls on sockets: POSIX names, arguments in POSIX's order, Buffers for memory. A failed call
// throws a SystemError. The calls that move data also come in a form that does not throw, for loops
// in which EAGAIN is an everyday answer: tryRecv returns what the kernel returns, a count or a
// negative errno (`-EAGAIN`). That form allocates nothing, whatever it returns; the form that
// throws allocates its Error only.
//
// EBADF (not an open descriptor) and ENOTSOCK (a descriptor of something else) can come from every
// call that takes a descriptor, and are not repeated below.

import { check, systemError } from './errors.ts'
import { lastErrno, libc } from './platform.ts'

// #region declarations
const calls = {
  socket: libc.func('int socket(int, int, int)'),
  socketpair: libc.func('int socketpair(int, int, int, void *)'),
  bind: libc.func('int bind(int, const void *, uint32_t)'),
  listen: libc.func('int listen(int, int)'),
  accept4: libc.func('int accept4(int, void *, void *, int)'),
  connect: libc.func('int connect(int, const void *, uint32_t)'),
  shutdown: libc.func('int shutdown(int, int)'),
  close: libc.func('int close(int)'),
  getsockname: libc.func('int getsockname(int, void *, void *)'),
  getpeername: libc.func('int getpeername(int, void *, void *)'),
  send: libc.func('int64_t send(int, const void *, uint64_t, int)'),
  recv: libc.func('int64_t recv(int, void *, uint64_t, int)'),
  sendto: libc.func('int64_t sendto(int, const void *, uint64_t, int, const void *, uint32_t)'),
  recvfrom: libc.func('int64_t recvfrom(int, void *, uint64_t, int, void *, void *)'),
}
// #endregion declarations

/**
 * Makes an endpoint and returns its file descriptor.
 * @param domain AF_INET, AF_INET6, AF_UNIX, …
 * @param type SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, …; or-ed with SOCK_NONBLOCK, SOCK_CLOEXEC
 * @param protocol 0 for the type's usual one
 * @throws EPERM (raw without CAP_NET_RAW), EAFNOSUPPORT (no such family), EPROTONOSUPPORT (the
 * family does not have that protocol for that type), ESOCKTNOSUPPORT (nor the type at all), EINVAL
 * (no such type), EMFILE (RLIMIT_NOFILE), ENFILE. socket(2)
 */
export function socket(domain: number, type: number, protocol: number): number {
  return check(calls.socket(domain, type, protocol), 'socket')
}

const pair = new Int32Array(2)

/**
 * Makes two sockets that are connected to each other and returns both descriptors. What one sends
 * is there for the other as soon as send returns.
 * @param domain AF_UNIX
 * @param type SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET; or-ed with SOCK_NONBLOCK, SOCK_CLOEXEC
 * @throws what socket throws, and EOPNOTSUPP (AF_INET, AF_INET6). socketpair(2)
 */
export function socketpair(domain: number, type: number, protocol: number): [number, number] {
  check(calls.socketpair(domain, type, protocol, pair), 'socketpair')
  return [pair[0]!, pair[1]!]
}

/**
 * Gives a socket its local address.
 * @throws EADDRINUSE, EADDRNOTAVAIL (an address of no interface here), EACCES (a port below
 * net.ipv4.ip_unprivileged_port_start without CAP_NET_BIND_SERVICE), EINVAL (bound already, or too
 * short), EAFNOSUPPORT (an address of another family); for a path those of the file system, ENOENT
 * for one. bind(2)
 */
export function bind(fd: number, addr: Uint8Array): void {
  check(calls.bind(fd, addr, addr.byteLength), 'bind', addr)
}

/**
 * Makes a stream socket a listening one.
 * @param backlog how many established connections may wait for accept; net.core.somaxconn is the
 * cap
 * @throws EADDRINUSE (another socket listens there), EOPNOTSUPP (a datagram socket), EINVAL (a
 * connected one). A socket without an address gets a free port. listen(2)
 */
export function listen(fd: number, backlog: number): void {
  check(calls.listen(fd, backlog), 'listen')
}

/**
 * Takes the first connection off the accept queue, waiting for one if there is none, and returns
 * its descriptor. That one is blocking and stays open in exec, whatever the flags of the listening
 * one.
 * @param addr filled with the peer's address, if given
 * @throws EAGAIN (non-blocking, or SO_RCVTIMEO has passed), EINTR (a signal, with SO_RCVTIMEO),
 * EMFILE, EINVAL (not listening, or shut down), EOPNOTSUPP (a datagram socket). POSIX has
 * ECONNABORTED for a connection that was reset in the queue; Linux hands that one out, and recv has
 * the ECONNRESET. accept(2)
 */
export function accept(fd: number, addr?: Uint8Array): number {
  return accept4(fd, addr, 0)
}

/**
 * accept, with SOCK_NONBLOCK or SOCK_CLOEXEC for the new descriptor; EINVAL for other flags.
 * accept4(2), Linux and POSIX.1-2024
 */
export function accept4(fd: number, addr: Uint8Array | undefined, flags: number): number {
  const connFd = tryAccept(fd, addr, flags)
  if (connFd < 0) throw systemError('accept', connFd)
  return connFd
}

/** accept4 that returns a negative errno in place of throwing. */
export function tryAccept(fd: number, addr: Uint8Array | undefined, flags: number): number {
  if (addr !== undefined) length[0] = addr.byteLength
  const addrlen = addr === undefined ? null : length
  const connFd = calls.accept4(fd, addr ?? null, addrlen, flags) as number
  if (connFd < 0) return -lastErrno()
  if (addr !== undefined) clearRest(addr)
  return connFd
}

/**
 * Connects a stream socket, or sets the one peer of a datagram socket.
 * @throws ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EINPROGRESS (non-blocking, or
 * SO_SNDTIMEO has passed), EALREADY (asked again meanwhile), EINTR (the connect goes on), EISCONN,
 * EADDRNOTAVAIL (no port is free), EAFNOSUPPORT; EACCES (a broadcast address without SO_BROADCAST);
 * for a path ENOENT and EPROTOTYPE (a socket of another type is there). connect(2)
 */
export function connect(fd: number, addr: Uint8Array): void {
  check(calls.connect(fd, addr, addr.byteLength), 'connect', addr)
}

/**
 * Ends one direction or both: SHUT_RD, SHUT_WR, SHUT_RDWR, for every descriptor of the socket.
 * @throws ENOTCONN, EINVAL (no such direction). shutdown(2)
 */
export function shutdown(fd: number, how: number): void {
  check(calls.shutdown(fd, how), 'shutdown')
}

/**
 * Gives the descriptor back; the connection ends with its last descriptor. Throws EBADF. close(2)
 */
export function close(fd: number): void {
  check(calls.close(fd), 'close')
}

// #region names
// socklen_t *addrlen: the room that we have on the way in, the bytes that the kernel has on the way
// out.
const length = new Uint32Array(1)

/** Fills `addr` with the socket's own address, and returns it. getsockname(2) */
export function getsockname<T extends Uint8Array>(fd: number, addr: T): T {
  length[0] = addr.byteLength
  check(calls.getsockname(fd, addr, length), 'getsockname')
  return clearRest(addr)
}

/** Fills `addr` with the peer's address, and returns it. Throws ENOTCONN. getpeername(2) */
export function getpeername<T extends Uint8Array>(fd: number, addr: T): T {
  length[0] = addr.byteLength
  check(calls.getpeername(fd, addr, length), 'getpeername')
  return clearRest(addr)
}

/**
 * What the kernel did not write is not part of the address: nothing of an earlier one may stay
 * there.
 */
function clearRest<T extends Uint8Array>(addr: T): T {
  if (length[0]! < addr.byteLength) addr.fill(0, length[0])
  return addr
}
// #endregion names

/**
 * Sends bytes on a connected socket.
 * @param len how many bytes of `buf`, from its start
 * @param flags 0, or MSG_MORE, MSG_DONTWAIT, MSG_OOB, …
 * @returns how many the kernel took, which may be fewer on a stream socket
 * @throws EPIPE (after shutdown, or on a stream that has failed or never was), ENOTCONN (a unix
 * stream that never was), ECONNRESET, EAGAIN
 * (non-blocking, or SO_SNDTIMEO has passed), EMSGSIZE (a datagram too long), EDESTADDRREQ (a
 * datagram socket without a peer), ECONNREFUSED (of an earlier datagram), EINTR, EOPNOTSUPP (a
 * flag), ETIMEDOUT; RangeError where `len` is not within `buf`. send(2)
 */
export function send(fd: number, buf: Uint8Array, len: number, flags: number): number {
  const sent = trySend(fd, buf, len, flags)
  if (sent < 0) throw systemError('send', sent)
  return sent
}

/** send that returns a negative errno in place of throwing. */
export function trySend(fd: number, buf: Uint8Array, len: number, flags: number): number {
  if (!within(buf, len)) overrun('send', buf, len)
  const sent = calls.send(fd, buf, len, flags) as number
  return sent < 0 ? -lastErrno() : sent
}

// #region recv
/**
 * Receives bytes: waits until there are some, then takes what is there.
 * @param len how many at the most, written to the start of `buf`
 * @param flags 0, or MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC, …
 * @returns how many came; 0 on a stream socket means that the peer has ended its direction
 * @throws EAGAIN (non-blocking, or SO_RCVTIMEO has passed), ECONNRESET, ECONNREFUSED (of an earlier
 * datagram), ENOTCONN (a TCP socket without a peer), ETIMEDOUT, EINTR (a signal, with SO_RCVTIMEO),
 * EINVAL (a unix stream without a peer, MSG_OOB where there is none); RangeError where `len` is not
 * within `buf`. recv(2)
 */
export function recv(fd: number, buf: Uint8Array, len: number, flags: number): number {
  const received = tryRecv(fd, buf, len, flags)
  if (received < 0) throw systemError('recv', received)
  return received
}

/** recv that returns a negative errno in place of throwing. */
export function tryRecv(fd: number, buf: Uint8Array, len: number, flags: number): number {
  if (!within(buf, len)) overrun('recv', buf, len)
  const received = calls.recv(fd, buf, len, flags) as number
  return received < 0 ? -lastErrno() : received
}
// #endregion recv

/**
 * send to the address given; on a connected stream the address counts for nothing.
 * @throws what send throws, and EACCES (a broadcast address without SO_BROADCAST), ENETUNREACH,
 * EAFNOSUPPORT and EINVAL (an address of another family, too short, port 0), EISCONN (a unix
 * stream). sendto(2)
 */
export function sendto(
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  addr: Uint8Array,
): number {
  const sent = trySendto(fd, buf, len, flags, addr)
  if (sent < 0) throw systemError('sendto', sent, addr)
  return sent
}

/** sendto that returns a negative errno in place of throwing. */
export function trySendto(
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  addr: Uint8Array,
): number {
  if (!within(buf, len)) overrun('sendto', buf, len)
  const sent = calls.sendto(fd, buf, len, flags, addr, addr.byteLength) as number
  return sent < 0 ? -lastErrno() : sent
}

/**
 * recv that also tells who sent it, in `addr`, which stays zero on a connected stream. What does
 * not fit of a datagram is lost; with MSG_TRUNC the result is its full length all the same.
 * @throws what recv throws. recvfrom(2)
 */
export function recvfrom(
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  addr: Uint8Array,
): number {
  const received = tryRecvfrom(fd, buf, len, flags, addr)
  if (received < 0) throw systemError('recvfrom', received)
  return received
}

/** recvfrom that returns a negative errno in place of throwing. */
export function tryRecvfrom(
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  addr: Uint8Array,
): number {
  if (!within(buf, len)) overrun('recvfrom', buf, len)
  length[0] = addr.byteLength
  const received = calls.recvfrom(fd, buf, len, flags, addr, length) as number
  if (received < 0) return -lastErrno()
  clearRest(addr)
  return received
}

// #region overrun
// C would let the kernel write past the end of the buffer, and takes -1 for 18 exabytes. Here the
// length is checked first.
function within(buf: Uint8Array, len: number): boolean {
  return len >= 0 && len <= buf.byteLength // neither holds for NaN
}

function overrun(syscall: string, buf: Uint8Array, len: number): never {
  throw new RangeError(`${syscall}: len is ${len}, the buffer has ${buf.byteLength} bytes`)
}
// #endregion overrun
