// select, poll and epoll behind one interface: tell it which descriptors are of interest, then wait.
//
// All three are used level-triggered: a descriptor that is ready is reported again in the next wait.
// How many descriptors each takes, and what a wait costs, is the subject of page 2.3.

import { close } from './calls.ts'
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
} from './constants.ts'
import { EINTR, systemError } from './errors.ts'
import { timeval } from './options.ts'
import {
  FD_CLR,
  FD_ISSET,
  FD_SET,
  FD_SETSIZE,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  fd_set,
  pollfds,
  tryEpollWait,
  tryPoll,
  trySelect,
} from './waiting.ts'

// #region interface
/** Told of a descriptor that is ready, and for what: POLLIN, POLLOUT, or both. */
export type Ready = (fd: number, events: number) => void

export interface Poller {
  /**
   * From now on `fd` is watched for `events`: POLLIN, POLLOUT, both, or 0, which forgets it. Forget a
   * descriptor before it is closed.
   * @throws what epoll_ctl throws; RangeError from select for a descriptor from FD_SETSIZE on
   */
  watch(fd: number, events: number): void
  /**
   * Waits until something is ready, and tells of each. A failure or a hang-up counts as ready for all
   * that the descriptor is watched for: the call that is tried then says what it was.
   * @param timeout in milliseconds, a fraction counts as one more; -1 waits without limit
   * @returns how many descriptors were ready: 0 after the timeout, or when a signal came
   */
  wait(timeout: number, ready: Ready): number
  /** Gives back what it holds. */
  close(): void
}
// #endregion interface

const FAILED = POLLERR | POLLHUP | POLLNVAL

/** Whole milliseconds: a wait that ends too early would have to be repeated. */
function wholeMilliseconds(timeout: number): number {
  return Math.min(Math.ceil(timeout), 0x7fffffff)
}

/** A wait that a signal has interrupted has found nothing. */
function counted(result: number, syscall: string): number {
  if (result >= 0) return result
  if (result === -EINTR) return 0
  throw systemError(syscall, result)
}

// #region epoll
/** A poller on epoll. Throws EMFILE, ENFILE. epoll(7) */
export function epollPoller(): Poller {
  const epfd = epoll_create1(EPOLL_CLOEXEC)
  const watched: number[] = [] // by descriptor
  const list = epoll_events(1024)
  return {
    watch(fd, events) {
      const before = watched[fd] ?? 0
      if (events === before) return
      const op = before === 0 ? EPOLL_CTL_ADD : events === 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD
      epoll_ctl(epfd, op, fd, events) // EPOLLIN and EPOLLOUT are POLLIN and POLLOUT
      watched[fd] = events
    },
    wait(timeout, ready) {
      const result = tryEpollWait(epfd, list, list.count, wholeMilliseconds(timeout))
      const count = counted(result, 'epoll_wait')
      for (let i = 0; i < count; i++) {
        const fd = list.fd(i)
        const wanted = watched[fd]! // 0 of one that was forgotten meanwhile
        const events = list.events(i) & FAILED ? wanted : list.events(i) & wanted
        if (events !== 0) ready(fd, events)
      }
      return count
    },
    close: () => close(epfd),
  }
}
// #endregion epoll

// #region poll
/** A poller on poll. poll(2) */
export function pollPoller(): Poller {
  let fds = pollfds(64)
  let used = 0
  const place: number[] = [] // by descriptor; -1 has none
  const watched: number[] = [] // by place

  function put(i: number, fd: number, events: number): void {
    fds.set(i, fd, events)
    watched[i] = events
    place[fd] = i
  }

  function grow(): void {
    const larger = pollfds(2 * fds.count)
    larger.bytes.set(fds.bytes)
    fds = larger
  }

  return {
    watch(fd, events) {
      const i = place[fd] ?? -1
      if (events !== 0) {
        if (i < 0 && used === fds.count) grow()
        put(i < 0 ? used++ : i, fd, events)
      } else if (i >= 0) {
        used-- // the last one takes its place
        if (i < used) put(i, fds.fd(used), watched[used]!)
        place[fd] = -1
      }
    },
    wait(timeout, ready) {
      const count = counted(tryPoll(fds, used, wholeMilliseconds(timeout)), 'poll')
      // From the end, since a descriptor that is forgotten meanwhile gives its place to the last one.
      for (let i = used - 1, left = count; left > 0 && i >= 0; i--) {
        const events = fds.revents(i)
        if (events === 0) continue
        left--
        const fd = fds.fd(i)
        const wanted = place[fd] === i ? watched[i]! : 0 // 0 of one that was forgotten meanwhile
        const told = events & FAILED ? wanted : events & wanted
        if (told !== 0) ready(fd, told)
      }
      return count
    },
    close: () => {},
  }
}
// #endregion poll

// #region select
/** A poller on select. It takes descriptors below FD_SETSIZE. select(2) */
export function selectPoller(): Poller {
  const [reading, writing] = [fd_set(), fd_set()]
  // What select overwrites, also as words of 32 bits, so that those without a bit are passed over.
  const [readable, writable] = [new Int32Array(FD_SETSIZE / 32), new Int32Array(FD_SETSIZE / 32)]
  const [readableSet, writableSet] = [bytesOf(readable), bytesOf(writable)]
  let nfds = 0

  return {
    watch(fd, events) {
      const change = (wanted: number, set: Uint8Array): void =>
        events & wanted ? FD_SET(fd, set) : FD_CLR(fd, set)
      change(POLLIN, reading)
      change(POLLOUT, writing)
      if (events !== 0 && fd >= nfds) nfds = fd + 1
    },
    wait(timeout, ready) {
      readableSet.set(reading)
      writableSet.set(writing)
      const limit = timeout < 0 ? null : timeval(wholeMilliseconds(timeout))
      const result = trySelect(nfds, readableSet, writableSet, null, limit)
      if (counted(result, 'select') === 0) return 0
      let count = 0
      for (let word = 0; word * 32 < nfds; word++) {
        let bits = readable[word]! | writable[word]!
        for (; bits !== 0; bits &= bits - 1) {
          const bit = bits & -bits
          const fd = word * 32 + 31 - Math.clz32(bit)
          const events = // without those that were forgotten meanwhile
            (readable[word]! & bit && FD_ISSET(fd, reading) ? POLLIN : 0) |
            (writable[word]! & bit && FD_ISSET(fd, writing) ? POLLOUT : 0)
          if (events !== 0) ready(fd, events)
          count++
        }
      }
      return count
    },
    close: () => {},
  }
}
// #endregion select

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer)
}
