import { describe, expect, test } from 'vitest'
import {
  AF_UNIX,
  FD_SETSIZE,
  F_DUPFD,
  POLLIN,
  POLLOUT,
  type Poller,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  epollPoller,
  fcntl,
  pollPoller,
  recv,
  selectPoller,
  send,
  shutdown,
  socketpair,
  trySend,
} from '#posix'
import { closeAfterEach, closed, code, connected, descriptors, opened, until } from './sockets.ts'

closeAfterEach()

const BOTH = POLLIN | POLLOUT
const byte = Buffer.of(1)

function pair(): [number, number] {
  const [a, b] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
  return [opened(a), opened(b)]
}

/** Sends until the kernel takes no more. */
function fill(fd: number): void {
  const chunk = Buffer.alloc(65_536)
  while (trySend(fd, chunk, chunk.length, 0) > 0);
}

describe.each([
  ['select', selectPoller],
  ['poll', pollPoller],
  ['epoll', epollPoller],
])('%s', (name, make) => {
  /** Lends a poller to a test. */
  function withPoller(
    act: (poller: Poller, ready: (timeout?: number) => [fd: number, events: number][]) => void,
  ): void {
    const poller = make()
    try {
      act(poller, (timeout = 0) => {
        const all: [number, number][] = []
        const count = poller.wait(timeout, (fd, events) => all.push([fd, events]))
        expect(count).toBe(all.length)
        return all.toSorted(([a], [b]) => a - b)
      })
    } finally {
      poller.close()
    }
  }

  test('tells of what is ready, and for what it is watched', () => {
    withPoller((poller, ready) => {
      const [fd, peerFd] = pair()
      poller.watch(fd, POLLIN)
      expect(ready()).toEqual([])
      send(peerFd, byte, 1, 0)
      expect(ready(-1)).toEqual([[fd, POLLIN]])
      expect(ready(-1)).toEqual([[fd, POLLIN]]) // level-triggered
      poller.watch(fd, BOTH)
      expect(ready(-1)).toEqual([[fd, BOTH]])
      poller.watch(fd, POLLOUT)
      expect(ready(-1)).toEqual([[fd, POLLOUT]])
      poller.watch(fd, BOTH)
      recv(fd, byte, 1, 0)
      expect(ready(-1)).toEqual([[fd, POLLOUT]])
      fill(fd)
      expect(ready()).toEqual([])
    })
  })

  test('forgets a descriptor, which may be closed, and its number used again', () => {
    withPoller((poller, ready) => {
      const [fd, peerFd] = pair()
      send(peerFd, byte, 1, 0)
      poller.watch(fd, BOTH)
      poller.watch(fd, 0)
      expect(ready()).toEqual([])
      poller.watch(fd, 0) // twice is as good as once
      closed(fd)
      const [again] = pair()
      expect(again).toBe(fd)
      poller.watch(again, POLLOUT)
      expect(ready(-1)).toEqual([[again, POLLOUT]])
    })
  })

  test('the end of the stream, a hang-up and an error are ready for all that is watched', () => {
    withPoller((poller, ready) => {
      const [ended, endingFd] = pair()
      shutdown(endingFd, SHUT_WR)
      const [left, leaving] = pair()
      closed(leaving)
      const { clientFd, connFd } = connected()
      send(clientFd, byte, 1, 0)
      until(connFd, POLLIN)
      closed(connFd) // with a byte unread: a reset
      until(clientFd, POLLIN)
      for (const events of [POLLIN, BOTH, POLLOUT]) {
        for (const fd of [ended, left, clientFd]) poller.watch(fd, events)
        const due = [ended, left, clientFd].map((fd) => [fd, events]).toSorted(([a], [b]) => a! - b!)
        expect(ready(-1)).toEqual(due)
      }
    })
  })

  test('takes more than a hundred, and tells of each', () => {
    withPoller((poller, ready) => {
      const pairs = Array.from({ length: 100 }, pair)
      for (const [fd] of pairs) poller.watch(fd, POLLIN)
      expect(ready()).toEqual([])
      for (const [, peerFd] of pairs) send(peerFd, byte, 1, 0)
      const all = pairs.map(([fd]) => [fd, POLLIN]).toSorted(([a], [b]) => a! - b!)
      expect(ready(-1)).toEqual(all)
      for (const [i, [fd]] of pairs.entries()) if (i % 2 === 0) poller.watch(fd, 0)
      expect(ready(-1)).toEqual(all.filter(([fd]) => pairs.findIndex((one) => one[0] === fd) % 2 === 1))
    })
  })

  test('a descriptor may be forgotten while the others are told of', () => {
    withPoller((poller) => {
      const pairs = Array.from({ length: 5 }, pair)
      for (const [fd] of pairs) poller.watch(fd, POLLOUT)
      const told: number[] = []
      poller.wait(-1, (fd) => {
        told.push(fd)
        poller.watch(fd, 0)
      })
      expect(told.toSorted((a, b) => a - b)).toEqual(pairs.map(([fd]) => fd).toSorted((a, b) => a - b))
      expect(poller.wait(0, () => {})).toBe(0)
    })
  })

  test('who was forgotten meanwhile is not told of, nor is what nobody wants any more', () => {
    withPoller((poller) => {
      const pairs = Array.from({ length: 4 }, pair)
      for (const [fd, other] of pairs) {
        poller.watch(fd, BOTH)
        send(other, byte, 1, 0)
      }
      const told: [fd: number, events: number][] = []
      poller.wait(-1, (fd, events) => {
        told.push([fd, events])
        if (told.length > 1) return
        const others = pairs.map(([one]) => one).filter((one) => one !== fd)
        for (const one of others.slice(1)) poller.watch(one, 0)
        poller.watch(others[0]!, POLLOUT)
      })
      expect(told[0]![1]).toBe(BOTH)
      expect(told.slice(1).filter(([, events]) => events !== POLLOUT)).toEqual([])
      expect(told.length).toBeLessThanOrEqual(2)
      expect(poller.wait(0, () => {})).toBe(2)
    })
  })

  test('waits as long as it is told, and no less', () => {
    withPoller((poller, ready) => {
      poller.watch(pair()[0], POLLIN)
      for (const timeout of [1, 2.5]) {
        const start = performance.now()
        expect(ready(timeout)).toEqual([])
        expect(performance.now() - start).toBeGreaterThanOrEqual(timeout - 0.01)
      }
    })
  })

  test('waits for nothing but the time where nothing is watched', () => {
    withPoller((_poller, ready) => expect(ready(1)).toEqual([]))
  })

  test('gives back what it holds', () => {
    const before = descriptors()
    withPoller(() => {})
    expect(descriptors()).toBe(before)
  })

  test('a descriptor from FD_SETSIZE on', () => {
    withPoller((poller, ready) => {
      const fd = opened(fcntl(pair()[0], F_DUPFD, FD_SETSIZE))
      if (name === 'select') {
        expect(() => poller.watch(fd, POLLIN)).toThrow(RangeError)
        expect(ready()).toEqual([])
      } else {
        poller.watch(fd, POLLOUT)
        expect(ready(-1)).toEqual([[fd, POLLOUT]])
      }
    })
  })
})

test('epoll says so at once where a descriptor cannot be watched', () => {
  const poller = epollPoller()
  try {
    expect(code(() => poller.watch(closed(pair()[0]), POLLIN))).toBe('EBADF')
  } finally {
    poller.close()
  }
})
