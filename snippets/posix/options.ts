// Options and flags of a descriptor: getsockopt, setsockopt, fcntl, ioctl, and the structures that
// some options take.

import { inet_pton } from './addresses.ts'
import { AF_INET, F_GETFL, F_SETFL, O_NONBLOCK } from './constants.ts'
import { check } from './errors.ts'
import { libc } from './platform.ts'

const calls = {
  getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
  setsockopt: libc.func('int setsockopt(int, int, int, const void *, uint32_t)'),
  fcntl: libc.func('int fcntl(int, int, int64_t)'),
  ioctl: libc.func('int ioctl(int, uint64_t, void *)'),
}
const length = new Uint32Array(1)

/**
 * Reads an option into `value` and returns how many bytes the kernel wrote there (optlen).
 * @throws ENOPROTOOPT (no such option at that level), EOPNOTSUPP (no such level), ENOTCONN
 * (IP_MTU). getsockopt(2)
 */
export function getsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
  length[0] = value.byteLength
  check(calls.getsockopt(fd, level, name, value, length), 'getsockopt')
  return length[0]!
}

const int = new Int32Array(1)
const intBytes = new Uint8Array(int.buffer)

/** Reads an option whose value is an int, as most are. getsockopt(2) */
export function getsockoptInt(fd: number, level: number, name: number): number {
  int[0] = 0 // nothing of another value, should an option be shorter
  getsockopt(fd, level, name, intBytes)
  return int[0]!
}

/**
 * Sets an option: a number is passed as an int, bytes as they are (see linger and timeval).
 * @throws ENOPROTOOPT (no such option at that level), EINVAL (too few bytes, a value out of range),
 * EDOM (a timeval with a million microseconds or more), EPERM (a privileged option). setsockopt(2)
 */
export function setsockopt(
  fd: number,
  level: number,
  name: number,
  value: number | Uint8Array,
): void {
  if (typeof value === 'number') int[0] = value
  const bytes = typeof value === 'number' ? intBytes : value
  check(calls.setsockopt(fd, level, name, bytes, bytes.byteLength), 'setsockopt')
}

/** struct linger, 8 bytes: on or off, and how long close may wait, in seconds. socket(7) */
export function linger(on: boolean, seconds: number): Uint8Array {
  return new Uint8Array(Int32Array.of(on ? 1 : 0, seconds).buffer)
}

/**
 * struct timeval, 16 bytes: whole seconds and microseconds. Zero means no limit to SO_RCVTIMEO, and
 * no waiting at all to select. socket(7)
 */
export function timeval(milliseconds: number): Uint8Array {
  const all = Math.round(milliseconds * 1000) // rounded first: the rest has to be below a million
  const seconds = Math.floor(all / 1_000_000)
  const microseconds = all - seconds * 1_000_000
  return new Uint8Array(BigInt64Array.of(BigInt(seconds), BigInt(microseconds)).buffer)
}

/**
 * struct ip_mreqn, 12 bytes: a multicast group, and the interface on which to join or leave it. Also
 * the value of IP_MULTICAST_IF, where the group counts for nothing. ip(7)
 * @param address an address of the interface; 0.0.0.0 where `ifindex` tells it
 * @param ifindex its number (if_nametoindex); 0 where the address tells it
 */
export function ip_mreqn(group: string, address: string, ifindex = 0): Uint8Array {
  const mreqn = new Uint8Array(12)
  mreqn.set(inet_pton(AF_INET, group), 0)
  mreqn.set(inet_pton(AF_INET, address), 4)
  new Int32Array(mreqn.buffer)[2] = ifindex
  return mreqn
}

/**
 * Reads or sets a descriptor's flags: F_GETFL, F_SETFL with O_NONBLOCK, F_GETFD, F_SETOWN, …
 * @throws EBADF, EINVAL (no such command). fcntl(2)
 */
export function fcntl(fd: number, command: number, argument = 0): number {
  return check(calls.fcntl(fd, command, argument), 'fcntl')
}

/**
 * Asks a device or protocol: FIONREAD for the bytes that wait to be read.
 * @param argument what the request reads or fills; its size is the request's: check it in the man
 * page
 * @throws EBADF, ENOTTY (not for this kind of descriptor). ioctl(2)
 */
export function ioctl(fd: number, request: number, argument: Uint8Array): number {
  return check(calls.ioctl(fd, request, argument), 'ioctl')
}

/** Makes calls on the descriptor return EAGAIN where they would wait. fcntl(2) */
export function setNonBlocking(fd: number): void {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
}
