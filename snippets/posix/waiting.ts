// Waiting for many descriptors at once: select, poll, epoll. Each wait also comes in a form that
// does not throw, for loops in which a stop and a continue (EINTR) are no reason to end: it returns
// what the kernel returns, a count or a negative errno, and allocates nothing.

import { check, systemError } from './errors.ts'
import { lastErrno, libc } from './platform.ts'

const calls = {
  select: libc.func('int select(int, void *, void *, void *, void *)'),
  poll: libc.func('int poll(void *, uint64_t, int)'),
  epoll_create1: libc.func('int epoll_create1(int)'),
  epoll_ctl: libc.func('int epoll_ctl(int, int, int, void *)'),
  epoll_wait: libc.func('int epoll_wait(int, void *, int, int)'),
}

/** Descriptors from this one on do not fit in glibc's fd_set. select(2) */
export const FD_SETSIZE = 1024

/** An fd_set: one bit for each of the descriptors 0 to 1023. */
export function fd_set(): Uint8Array {
  return new Uint8Array(FD_SETSIZE / 8)
}

/** Clears every bit. */
export function FD_ZERO(set: Uint8Array): void {
  set.fill(0)
}

/**
 * Sets a descriptor's bit. In C a descriptor past the set's end writes into whatever is there; here
 * it is a RangeError.
 */
export function FD_SET(fd: number, set: Uint8Array): void {
  const size = set.length * 8
  if (!(fd >= 0 && fd < size)) throw new RangeError(`FD_SET: ${fd} is not in a set of ${size}`)
  set[fd >> 3]! |= 1 << (fd & 7)
}

/** Clears a descriptor's bit. */
export function FD_CLR(fd: number, set: Uint8Array): void {
  if (fd >= 0 && fd < set.length * 8) set[fd >> 3]! &= ~(1 << (fd & 7))
}

/** Tells whether a descriptor's bit is set. */
export function FD_ISSET(fd: number, set: Uint8Array): boolean {
  return fd >= 0 && fd < set.length * 8 && (set[fd >> 3]! & (1 << (fd & 7))) !== 0
}

/**
 * Waits until a descriptor in one of the sets is ready; the sets come back with only those in them.
 * @param nfds the highest descriptor plus one
 * @param timeout a timeval, which Linux overwrites with the time left; null waits without limit
 * @returns how many bits are set in all three sets, 0 after the timeout
 * @throws EBADF (a closed descriptor), EINVAL (nfds or the timeout is negative), EINTR (a signal
 * came; the sets are as they were); RangeError where nfds does not fit in a set. select(2)
 */
export function select(
  nfds: number,
  readfds: Uint8Array | null,
  writefds: Uint8Array | null,
  exceptfds: Uint8Array | null,
  timeout: Uint8Array | null,
): number {
  const ready = trySelect(nfds, readfds, writefds, exceptfds, timeout)
  if (ready < 0) throw systemError('select', ready)
  return ready
}

/** select that returns a negative errno in place of throwing. */
export function trySelect(
  nfds: number,
  readfds: Uint8Array | null,
  writefds: Uint8Array | null,
  exceptfds: Uint8Array | null,
  timeout: Uint8Array | null,
): number {
  fits(nfds, readfds)
  fits(nfds, writefds)
  fits(nfds, exceptfds)
  if (timeout !== null && timeout.byteLength < 16) {
    throw new RangeError('select: a timeval has 16 bytes')
  }
  const ready = calls.select(nfds, readfds, writefds, exceptfds, timeout) as number
  return ready < 0 ? -lastErrno() : ready
}

/** The kernel reads and writes whole words of 64 bits, whatever the size of the set. */
function fits(nfds: number, set: Uint8Array | null): void {
  if (set === null || Math.ceil(nfds / 64) * 8 <= set.byteLength) return
  throw new RangeError(`select: nfds is ${nfds}, a set has ${set.byteLength * 8} bits`)
}

/** Room for struct pollfd { int fd; short events; short revents }, 8 bytes each. */
export interface PollFds {
  readonly count: number
  readonly bytes: Uint8Array
  /** Watches `fd` in place `i`; a negative fd leaves the place out. */
  set(i: number, fd: number, events: number): void
  /** The descriptor in place `i`. */
  fd(i: number): number
  /** What poll found there: POLLIN, POLLHUP, …, or 0. */
  revents(i: number): number
}

/** An array of `count` struct pollfd; a place that was never set is left out. poll(2) */
export function pollfds(count: number): PollFds {
  const bytes = new Uint8Array(8 * count)
  const fds = new Int32Array(bytes.buffer)
  const events = new Int16Array(bytes.buffer)
  for (let i = 0; i < count; i++) fds[2 * i] = -1 // 0 would be standard input
  return {
    count,
    bytes,
    set(i, fd, wanted) {
      if (!(i >= 0 && i < count)) throw new RangeError(`pollfds: no place ${i} of ${count}`)
      fds[2 * i] = fd
      events[4 * i + 2] = wanted
      events[4 * i + 3] = 0
    },
    fd: (i) => fds[2 * i]!,
    revents: (i) => events[4 * i + 3]!,
  }
}

/**
 * Waits until one of the first `nfds` places has an event.
 * @param timeout in milliseconds; -1 waits without limit, 0 does not wait
 * @returns how many places have events, 0 after the timeout
 * @throws EINVAL (nfds above RLIMIT_NOFILE), EINTR (a signal came). A closed descriptor is not an
 * error of the call: its place has POLLNVAL. poll(2)
 */
export function poll(fds: PollFds, nfds: number, timeout: number): number {
  const ready = tryPoll(fds, nfds, timeout)
  if (ready < 0) throw systemError('poll', ready)
  return ready
}

/** poll that returns a negative errno in place of throwing. */
export function tryPoll(fds: PollFds, nfds: number, timeout: number): number {
  if (nfds > fds.count) {
    throw new RangeError(`poll: nfds is ${nfds}, there is room for ${fds.count}`)
  }
  const ready = calls.poll(fds.bytes, nfds, timeout) as number
  return ready < 0 ? -lastErrno() : ready
}

// #region epoll-event
// struct epoll_event { uint32_t events; epoll_data_t data }, in words of 32 bits. On x86-64 it is
// packed into 12 bytes, so that 32-bit programs see the same; elsewhere it is aligned to 16.
const words = process.arch === 'x64' ? 3 : 4
const dataWord = words - 2

/** Room for the events of one epoll_wait. */
export interface EpollEvents {
  readonly count: number
  readonly words: Int32Array
  /** The events of place `i`: EPOLLIN, EPOLLHUP, … */
  events(i: number): number
  /** The descriptor that was given to epoll_ctl with them. */
  fd(i: number): number
}

/** An array of `count` struct epoll_event. epoll_event(3type) */
export function epoll_events(count: number): EpollEvents {
  const array = new Int32Array(words * count)
  return {
    count,
    words: array,
    events: (i) => array[words * i]!,
    fd: (i) => array[words * i + dataWord]!,
  }
}
// #endregion epoll-event

const one = epoll_events(1)

/**
 * Makes an epoll instance and returns its descriptor. Throws EINVAL (flags), EMFILE.
 * epoll_create1(2)
 */
export function epoll_create1(flags: number): number {
  return check(calls.epoll_create1(flags), 'epoll_create1')
}

/**
 * Registers, changes or removes a descriptor: EPOLL_CTL_ADD, _MOD, _DEL. Its number comes back with
 * its events.
 * @throws EEXIST (ADD of one that is there), ENOENT (MOD or DEL of one that is not), EPERM (a
 * regular file), EBADF, EINVAL (itself, or EPOLLEXCLUSIVE where it cannot be), ELOOP (epoll
 * instances in a ring), ENOSPC (fs.epoll.max_user_watches). epoll_ctl(2)
 */
export function epoll_ctl(epfd: number, operation: number, fd: number, events: number): void {
  one.words[0] = events
  one.words[dataWord] = fd
  check(calls.epoll_ctl(epfd, operation, fd, one.words), 'epoll_ctl')
}

/**
 * Waits for events and returns how many there are, 0 after the timeout.
 * @param timeout in milliseconds; -1 waits without limit, 0 does not wait
 * @throws EINTR (a signal came), EINVAL (not an epoll instance, or maxevents is not positive),
 * EBADF. epoll_wait(2)
 */
export function epoll_wait(
  epfd: number,
  events: EpollEvents,
  maxevents: number,
  timeout: number,
): number {
  const ready = tryEpollWait(epfd, events, maxevents, timeout)
  if (ready < 0) throw systemError('epoll_wait', ready)
  return ready
}

/** epoll_wait that returns a negative errno in place of throwing. */
export function tryEpollWait(
  epfd: number,
  events: EpollEvents,
  maxevents: number,
  timeout: number,
): number {
  if (maxevents > events.count) {
    throw new RangeError(`epoll_wait: maxevents is ${maxevents}, there is room for ${events.count}`)
  }
  const ready = calls.epoll_wait(epfd, events.words, maxevents, timeout) as number
  return ready < 0 ? -lastErrno() : ready
}
