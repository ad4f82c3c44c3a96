// What one wait costs against the number of descriptors that are
// watched: select, poll, epoll_wait. All of them are idle but the last,
// which stays readable, so that no call has to wait.

import {
  AF_INET,
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  FD_SET,
  POLLIN,
  RLIMIT_NOFILE,
  SOCK_DGRAM,
  SOCK_STREAM,
  close,
  dup,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getrlimit,
  poll,
  pollfds,
  select,
  send,
  socket,
  socketpair,
} from '#posix'

const ROUNDS = 15
const ROUND = 1 // ms

const sizes = process.argv.slice(2).map(Number)
if (sizes.length === 0) sizes.push(10, 100, 1000, 8000)
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
  console.error('usage: node wait-cost.ts [DESCRIPTORS ...]')
  process.exit(2)
}

const { soft } = getrlimit(RLIMIT_NOFILE)
const idle: number[] = [] // more for each size
const [peerFd, connFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
send(peerFd, Buffer.from('a'), 1, 0)

for (const size of sizes.toSorted((a, b) => a - b)) {
  if (size + 100 > soft) {
    console.log(`${size} descriptors are not allowed: RLIMIT_NOFILE is ${soft}`)
    continue
  }
  while (idle.length < size - 1) idle.push(socket(AF_INET, SOCK_DGRAM, 0))
  const readyFd = dup(connFd) // a number behind those of the idle ones
  const watched = [...idle, readyFd]
  const calls = {
    select: withSelect(watched),
    poll: withPoll(watched),
    epoll_wait: withEpoll(watched),
  }
  for (const [name, cost] of Object.entries(measure(calls, Math.ceil(1000 / size)))) {
    console.log(`${name}, ${size} descriptors: ${cost.toFixed(2)} µs`)
  }
  close(readyFd)
}

// #region three-calls
function withSelect(watched: number[]): () => number {
  const nfds = Math.max(...watched) + 1
  // Longer than an fd_set, where one ends too early: the kernel takes any length.
  const wanted = new Uint8Array(8 * Math.ceil(nfds / 64))
  for (const fd of watched) FD_SET(fd, wanted)
  const readfds = new Uint8Array(wanted.length)
  return () => {
    readfds.set(wanted) // select leaves only what is ready
    return select(nfds, readfds, null, null, null)
  }
}

function withPoll(watched: number[]): () => number {
  const places = pollfds(watched.length)
  for (const [i, fd] of watched.entries()) places.set(i, fd, POLLIN)
  return () => poll(places, places.count, -1)
}

function withEpoll(watched: number[]): () => number {
  const epfd = epoll_create1(0)
  for (const fd of watched) epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)
  const events = epoll_events(64)
  return () => epoll_wait(epfd, events, 64, -1)
}
// #endregion three-calls

// #region fastest
/** Microseconds a call, in the fastest of the rounds: other work can only make one slower. */
function measure(calls: Record<string, () => number>, batch: number): Record<string, number> {
  const fastest: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const start = performance.now()
      let count = 0
      let took = 0
      while (took < ROUND) {
        for (let i = 0; i < batch; i++) if (call() !== 1) throw new Error(`${name}: not one ready`)
        count += batch
        took = performance.now() - start
      }
      fastest[name] = Math.min(fastest[name] ?? Infinity, (took / count) * 1000)
    }
  }
  return fastest
}
// #endregion fastest
