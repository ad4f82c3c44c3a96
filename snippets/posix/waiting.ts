// Waiting for many descriptors at once: select, poll, epoll.

import { check } from './errors.ts'
import { libc } from './platform.ts'

const calls = {
  select: libc.func('int select(int, void *, void *, void *, void *)'),
  poll: libc.func('int poll(void *, uint64_t, int)'),
  epoll_create1: libc.func('int epoll_create1(int)'),
  epoll_ctl: libc.func('int epoll_ctl(int, int, int, void *)'),
  epoll_wait: libc.func('int epoll_wait(int, void *, int, int)'),
}

// #region select
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

/** Sets a descriptor's bit. In C a descriptor past the set writes into whatever is there; here it is a RangeError. */
export function FD_SET(fd: number, set: Uint8Array): void {
  if (fd < 0 || fd >= set.length * 8) throw new RangeError(`FD_SET: descriptor ${fd} does not fit in a set of ${set.length * 8}`)
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
 * @returns how many bits are set, 0 after the timeout
 * @throws EBADF (a closed descriptor), EINTR. select(2)
 */
export function select(
  nfds: number,
  readfds: Uint8Array | null,
  writefds: Uint8Array | null,
  exceptfds: Uint8Array | null,
  timeout: Uint8Array | null,
): number {
  for (const set of [readfds, writefds, exceptfds]) {
    if (set !== null && nfds > set.length * 8) throw new RangeError(`select: nfds is ${nfds}, a set has ${set.length * 8} bits`)
  }
  return check(calls.select(nfds, readfds, writefds, exceptfds, timeout), 'select')
}
// #endregion select

// #region poll
/** An array of struct pollfd { int fd; short events; short revents }, 8 bytes each. poll(2) */
export class PollFds {
  readonly count: number
  readonly bytes: Uint8Array
  readonly #fds: Int32Array
  readonly #events: Int16Array

  constructor(count: number) {
    this.count = count
    this.bytes = new Uint8Array(8 * count)
    this.#fds = new Int32Array(this.bytes.buffer)
    this.#events = new Int16Array(this.bytes.buffer)
  }

  /** Watches `fd` in place `i`; a negative fd leaves the place out. */
  set(i: number, fd: number, events: number): void {
    this.#fds[2 * i] = fd
    this.#events[4 * i + 2] = events
    this.#events[4 * i + 3] = 0
  }

  fd(i: number): number {
    return this.#fds[2 * i]!
  }

  revents(i: number): number {
    return this.#events[4 * i + 3]!
  }
}

/**
 * Waits until one of the first `nfds` places has an event.
 * @param timeout in milliseconds; -1 waits without limit, 0 does not wait
 * @returns how many places have events, 0 after the timeout
 * @throws EINVAL (nfds above RLIMIT_NOFILE), EINTR. poll(2)
 */
export function poll(fds: PollFds, nfds: number, timeout: number): number {
  if (nfds > fds.count) throw new RangeError(`poll: nfds is ${nfds}, there is room for ${fds.count}`)
  return check(calls.poll(fds.bytes, nfds, timeout), 'poll')
}
// #endregion poll

// #region epoll
// #region epoll-event
// struct epoll_event { uint32_t events; epoll_data_t data } is packed on x86-64 only: 12 bytes there, 16 elsewhere.
const size = process.arch === 'x64' ? 3 : 4 // in 32-bit words
const dataWord = size - 2

/** Room for the events of one epoll_wait. */
export class EpollEvents {
  readonly count: number
  readonly words: Int32Array

  constructor(count: number) {
    this.count = count
    this.words = new Int32Array(size * count)
  }

  /** The events of place `i`: EPOLLIN, EPOLLHUP, … */
  events(i: number): number {
    return this.words[size * i]!
  }

  /** The descriptor that was given to epoll_ctl with them. */
  fd(i: number): number {
    return this.words[size * i + dataWord]!
  }
}
// #endregion epoll-event

const one = new EpollEvents(1)

/** Makes an epoll instance and returns its descriptor. epoll_create1(2) */
export function epoll_create1(flags: number): number {
  return check(calls.epoll_create1(flags), 'epoll_create1')
}

/**
 * Registers, changes or removes a descriptor: EPOLL_CTL_ADD, _MOD, _DEL. Its number comes back with its events.
 * @throws EEXIST, ENOENT, EPERM (a regular file), EINVAL (EPOLLEXCLUSIVE where it cannot be), ENOSPC. epoll_ctl(2)
 */
export function epoll_ctl(epfd: number, operation: number, fd: number, events: number): void {
  one.words[0] = events
  one.words[dataWord] = fd
  check(calls.epoll_ctl(epfd, operation, fd, one.words), 'epoll_ctl')
}

/**
 * Waits for events and returns how many there are, 0 after the timeout.
 * @param timeout in milliseconds; -1 waits without limit, 0 does not wait
 * @throws EINTR. epoll_wait(2)
 */
export function epoll_wait(epfd: number, events: EpollEvents, maxevents: number, timeout: number): number {
  if (maxevents > events.count) throw new RangeError(`epoll_wait: maxevents is ${maxevents}, there is room for ${events.count}`)
  return check(calls.epoll_wait(epfd, events.words, maxevents, timeout), 'epoll_wait')
}
// #endregion epoll
