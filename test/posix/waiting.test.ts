import { closeSync, openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  EBADF,
  EINVAL,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  FD_CLR,
  FD_ISSET,
  FD_SET,
  FD_SETSIZE,
  FD_ZERO,
  MSG_OOB,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  SHUT_WR,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fd_set,
  poll,
  pollfds,
  recv,
  select,
  send,
  shutdown,
  timeval,
  tryEpollWait,
  tryPoll,
  trySelect,
} from '#posix'
import { NOT_OPEN, closeAfterEach, closed, code, connected, failure, stream, unixConnected, until } from './sockets.ts'

closeAfterEach()

const buf = Buffer.alloc(64)
const WAIT = 5000 // ms, for an event that is sure to come

/** An epoll instance, closed at the end of the test that uses it. */
function withEpoll(act: (epfd: number) => void): void {
  const epfd = epoll_create1(0)
  try {
    act(epfd)
  } finally {
    closed(epfd)
  }
}

/** A number of a descriptor that has just been closed. */
function closedFd(): number {
  return closed(stream())
}

describe('fd_set', () => {
  test('FD_SET, FD_ISSET, FD_CLR, FD_ZERO, each bit by itself', () => {
    const set = fd_set()
    for (const fd of [0, 7, 8, 63, 64, FD_SETSIZE - 1]) {
      FD_SET(fd, set)
      expect(FD_ISSET(fd, set)).toBe(true)
      expect(FD_ISSET(fd + 1, set)).toBe(false)
      FD_CLR(fd, set)
      expect(set).toEqual(fd_set())
    }
    FD_SET(5, set)
    FD_SET(6, set)
    FD_ZERO(set)
    expect(set).toEqual(fd_set())
  })

  test('RangeError: a descriptor that does not fit, where C would write behind the set', () => {
    const set = fd_set()
    for (const fd of [-1, FD_SETSIZE, Number.NaN]) {
      expect(() => FD_SET(fd, set)).toThrow(`FD_SET: ${fd} is not in a set of 1024`)
      FD_CLR(fd, set)
      expect(FD_ISSET(fd, set)).toBe(false)
    }
    expect(set).toEqual(fd_set())
  })
})

describe('select', () => {
  test('leaves those in the sets that are ready, and counts them', () => {
    const { clientFd, connFd } = connected()
    const nfds = Math.max(clientFd, connFd) + 1
    const [readfds, writefds] = [fd_set(), fd_set()] as const
    for (const fd of [clientFd, connFd]) FD_SET(fd, readfds)
    FD_SET(connFd, writefds)
    send(clientFd, buf, 1, 0)
    expect(select(nfds, readfds, null, null, null)).toBe(1)
    expect([FD_ISSET(clientFd, readfds), FD_ISSET(connFd, readfds)]).toEqual([false, true])
    expect(select(nfds, readfds, writefds, null, timeval(WAIT))).toBe(2)
    expect(FD_ISSET(connFd, readfds) && FD_ISSET(connFd, writefds)).toBe(true)
  })

  test('urgent data is an exception', () => {
    const { clientFd, connFd } = connected()
    const exceptfds = fd_set()
    FD_SET(connFd, exceptfds)
    send(clientFd, buf, 1, MSG_OOB)
    expect(select(connFd + 1, null, null, exceptfds, timeval(WAIT))).toBe(1)
  })

  test('0 after the timeout, of which nothing is left, and nobody in the sets', () => {
    const readfds = fd_set()
    const { connFd } = connected()
    FD_SET(connFd, readfds)
    const timeout = timeval(2)
    expect(select(connFd + 1, readfds, null, null, timeout)).toBe(0)
    expect(timeout).toEqual(timeval(0))
    expect(readfds).toEqual(fd_set())
  })

  test('EBADF: a closed descriptor', () => {
    const fd = closedFd()
    const readfds = fd_set()
    FD_SET(fd, readfds)
    expect(failure(() => select(fd + 1, readfds, null, null, timeval(0)))).toMatchObject({
      message: 'select EBADF: bad file descriptor',
      syscall: 'select',
    })
  })

  test('EINVAL: nfds or the timeout is negative', () => {
    expect(code(() => select(-1, null, null, null, timeval(0)))).toBe('EINVAL')
    expect(code(() => select(0, null, null, null, timeval(-1)))).toBe('EINVAL')
  })

  test('RangeError: nfds is more than a set has, in the words of 64 bits that the kernel writes', () => {
    expect(() => select(1025, fd_set(), null, null, timeval(0))).toThrow('nfds is 1025, a set has 1024 bits')
    expect(() => select(1025, null, fd_set(), null, timeval(0))).toThrow(RangeError)
    expect(() => select(1025, null, null, fd_set(), timeval(0))).toThrow(RangeError)
    expect(() => select(8, new Uint8Array(1), null, null, timeval(0))).toThrow(RangeError)
    expect(() => select(0, null, null, null, new Uint8Array(8))).toThrow('a timeval has 16 bytes')
    expect(select(1024, fd_set(), fd_set(), fd_set(), timeval(0))).toBe(0)
  })
})

describe('poll', () => {
  test('tells the events of each place', () => {
    const { clientFd, connFd } = connected()
    const places = pollfds(2)
    places.set(0, clientFd, POLLIN)
    places.set(1, connFd, POLLIN | POLLOUT)
    send(clientFd, buf, 1, 0)
    until(connFd, POLLIN)
    expect(poll(places, 2, WAIT)).toBe(1)
    expect([places.revents(0), places.revents(1)]).toEqual([0, POLLIN | POLLOUT])
    expect([places.fd(0), places.fd(1)]).toEqual([clientFd, connFd])
  })

  test('looks at the first nfds places; a negative descriptor and a new place are left out', () => {
    const { clientFd, connFd } = connected()
    const places = pollfds(4)
    places.set(0, ~clientFd, POLLOUT)
    places.set(2, connFd, POLLOUT)
    places.set(3, connFd, POLLOUT)
    expect(poll(places, 3, 0)).toBe(1)
    expect([0, 1, 2, 3].map((i) => places.revents(i))).toEqual([0, 0, POLLOUT, 0])
  })

  test('0 after the timeout', () => {
    const places = pollfds(1)
    places.set(0, connected().connFd, POLLIN)
    expect(poll(places, 1, 0)).toBe(0)
    expect(poll(places, 1, 2)).toBe(0)
  })

  test('POLLRDHUP, POLLHUP, POLLPRI', () => {
    const { clientFd, connFd } = connected()
    const places = pollfds(1)
    places.set(0, connFd, POLLPRI)
    send(clientFd, buf, 1, MSG_OOB)
    expect(poll(places, 1, WAIT)).toBe(1)
    expect(places.revents(0)).toBe(POLLPRI)
    shutdown(clientFd, SHUT_WR)
    places.set(0, connFd, POLLRDHUP)
    expect(poll(places, 1, WAIT)).toBe(1)
    expect(places.revents(0)).toBe(POLLRDHUP)
    const unix = unixConnected()
    closed(unix.clientFd)
    places.set(0, unix.connFd, 0)
    expect(poll(places, 1, WAIT)).toBe(1)
    expect(places.revents(0)).toBe(POLLHUP)
  })

  test('a closed descriptor has POLLNVAL', () => {
    const places = pollfds(1)
    places.set(0, closedFd(), POLLIN)
    expect(poll(places, 1, -1)).toBe(1)
    expect(places.revents(0)).toBe(POLLNVAL)
  })

  test('set clears what was found before', () => {
    const places = pollfds(1)
    const { connFd } = connected()
    places.set(0, connFd, POLLOUT)
    poll(places, 1, WAIT)
    places.set(0, connFd, POLLIN)
    expect(places.revents(0)).toBe(0)
  })

  test('RangeError: more places than there are', () => {
    expect(() => poll(pollfds(2), 3, 0)).toThrow('poll: nfds is 3, there is room for 2')
    expect(() => pollfds(2).set(2, 0, POLLIN)).toThrow('no place 2 of 2')
    expect(() => pollfds(2).set(-1, 0, POLLIN)).toThrow(RangeError)
  })
})

describe('epoll', () => {
  test('several events of one wait have their own descriptors: the layout is the kernel’s', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      const other = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, clientFd, EPOLLOUT)
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
      epoll_ctl(epfd, EPOLL_CTL_ADD, other.connFd, EPOLLIN | EPOLLOUT)
      send(clientFd, buf, 1, 0)
      send(other.clientFd, buf, 1, 0)
      for (const fd of [connFd, other.connFd]) until(fd, POLLIN)
      const events = epoll_events(8)
      expect(epoll_wait(epfd, events, 8, WAIT)).toBe(3)
      expect(new Map([0, 1, 2].map((i) => [events.fd(i), events.events(i)]))).toEqual(
        new Map([
          [clientFd, EPOLLOUT],
          [connFd, EPOLLIN],
          [other.connFd, EPOLLIN | EPOLLOUT],
        ]),
      )
      expect([events.fd(3), events.events(3)]).toEqual([0, 0])
    })
  })

  test('maxevents at a time, then the others', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      for (const fd of [clientFd, connFd]) epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT)
      const events = epoll_events(1)
      const seen = new Set<number>()
      for (let i = 0; i < 2; i++) {
        expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
        seen.add(events.fd(0))
      }
      expect(seen).toEqual(new Set([clientFd, connFd]))
    })
  })

  test('level-triggered by default: told again as long as it holds', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
      send(clientFd, buf, 2, 0)
      const events = epoll_events(1)
      expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
      expect(epoll_wait(epfd, events, 1, 0)).toBe(1)
      recv(connFd, buf, 2, 0)
      expect(epoll_wait(epfd, events, 1, 0)).toBe(0)
      expect(epoll_wait(epfd, events, 1, 2)).toBe(0)
    })
  })

  test('EPOLLET: told once for each arrival', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN | EPOLLET)
      const events = epoll_events(1)
      for (let i = 0; i < 2; i++) {
        send(clientFd, buf, 2, 0)
        expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
        expect(events.events(0)).toBe(EPOLLIN)
        expect(epoll_wait(epfd, events, 1, 0)).toBe(0)
      }
      expect(recv(connFd, buf, 64, 0)).toBe(4)
    })
  })

  test('EPOLLONESHOT: told once, then not until EPOLL_CTL_MOD', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN | EPOLLONESHOT)
      const events = epoll_events(1)
      send(clientFd, buf, 1, 0)
      expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
      send(clientFd, buf, 1, 0)
      expect(epoll_wait(epfd, events, 1, 0)).toBe(0)
      epoll_ctl(epfd, EPOLL_CTL_MOD, connFd, EPOLLIN | EPOLLONESHOT)
      expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
    })
  })

  test('EPOLLRDHUP after a half-close, EPOLLHUP after both', () => {
    withEpoll((epfd) => {
      const { clientFd, connFd } = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLRDHUP)
      shutdown(clientFd, SHUT_WR)
      const events = epoll_events(1)
      expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
      expect(events.events(0)).toBe(EPOLLRDHUP)
      shutdown(connFd, SHUT_WR)
      expect(epoll_wait(epfd, events, 1, WAIT)).toBe(1)
      expect(events.events(0)).toBe(EPOLLRDHUP | EPOLLHUP)
    })
  })

  test('EPOLL_CTL_DEL: nothing more', () => {
    withEpoll((epfd) => {
      const { connFd } = connected()
      epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLOUT)
      epoll_ctl(epfd, EPOLL_CTL_DEL, connFd, 0)
      expect(epoll_wait(epfd, epoll_events(1), 1, 0)).toBe(0)
    })
  })

  test('epoll_ctl: EEXIST, ENOENT, EBADF', () => {
    withEpoll((epfd) => {
      const fd = stream()
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN))).toBe('ENOENT')
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_DEL, fd, 0))).toBe('ENOENT')
      epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)
      expect(failure(() => epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN))).toMatchObject({
        message: 'epoll_ctl EEXIST: file already exists',
        syscall: 'epoll_ctl',
      })
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_ADD, NOT_OPEN, EPOLLIN))).toBe('EBADF')
      expect(code(() => epoll_ctl(NOT_OPEN, EPOLL_CTL_ADD, fd, EPOLLIN))).toBe('EBADF')
    })
  })

  test('epoll_ctl: EPERM for a regular file', () => {
    withEpoll((epfd) => {
      const file = openSync(import.meta.filename, 'r')
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_ADD, file, EPOLLIN))).toBe('EPERM')
      closeSync(file)
    })
  })

  test('epoll_ctl: EINVAL for itself, for an unknown operation, for EPOLLEXCLUSIVE where it cannot be', () => {
    withEpoll((epfd) => {
      const fd = stream()
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_ADD, epfd, EPOLLIN))).toBe('EINVAL')
      expect(code(() => epoll_ctl(epfd, 9, fd, EPOLLIN))).toBe('EINVAL')
      const both = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_ADD, fd, both))).toBe('EINVAL')
      epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE)
      expect(code(() => epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN))).toBe('EINVAL')
    })
  })

  test('epoll_ctl: ELOOP for two that watch each other', () => {
    withEpoll((first) => {
      withEpoll((second) => {
        epoll_ctl(first, EPOLL_CTL_ADD, second, EPOLLIN)
        expect(code(() => epoll_ctl(second, EPOLL_CTL_ADD, first, EPOLLIN))).toBe('ELOOP')
      })
    })
  })

  test('epoll_wait: EINVAL for a socket and for no events, EBADF; epoll_create1: EINVAL', () => {
    const events = epoll_events(1)
    expect(failure(() => epoll_wait(stream(), events, 1, 0)).message).toBe('epoll_wait EINVAL: invalid argument')
    withEpoll((epfd) => {
      for (const none of [0, -1]) expect(code(() => epoll_wait(epfd, events, none, 0))).toBe('EINVAL')
    })
    expect(code(() => epoll_wait(NOT_OPEN, events, 1, 0))).toBe('EBADF')
    expect(code(() => epoll_create1(1))).toBe('EINVAL')
  })

  test('RangeError: more events than there is room for', () => {
    withEpoll((epfd) => {
      expect(() => epoll_wait(epfd, epoll_events(2), 3, 0)).toThrow('maxevents is 3, there is room for 2')
    })
  })
})

test('trySelect, tryPoll, tryEpollWait: the errno in place of an Error, the count otherwise', () => {
  const { clientFd, connFd } = connected()
  send(clientFd, buf, 1, 0)
  until(connFd, POLLIN)
  const set = fd_set()
  FD_SET(connFd, set)
  expect(trySelect(connFd + 1, set, null, null, null)).toBe(1)
  expect(trySelect(-1, null, null, null, timeval(0))).toBe(-EINVAL)
  const places = pollfds(1)
  places.set(0, connFd, POLLIN)
  expect(tryPoll(places, 1, -1)).toBe(1)
  expect(tryPoll(places, -1, 0)).toBe(-EINVAL) // as unsigned it is more than RLIMIT_NOFILE
  const events = epoll_events(1)
  withEpoll((epfd) => {
    epoll_ctl(epfd, EPOLL_CTL_ADD, connFd, EPOLLIN)
    expect(tryEpollWait(epfd, events, 1, -1)).toBe(1)
    expect(tryEpollWait(epfd, events, 0, 0)).toBe(-EINVAL)
  })
  expect(tryEpollWait(NOT_OPEN, events, 1, 0)).toBe(-EBADF)
})
