// What ended all tasks of the listing, in the framework of this page: each error is thrown in the
// task that it concerns.

import {
  AF_UNIX,
  FD_SETSIZE,
  F_DUPFD,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  epollPoller,
  fcntl,
  selectPoller,
  send,
  socketpair,
} from '#posix'
import { Channel } from './channel.ts'
import { type Coroutine, Scheduler, pause } from './scheduler.ts'
import { LineReader, Socket, readline } from './sockets.ts'

/** Runs the coroutines of a case to their end. */
function run(
  title: string,
  tasks: (scheduler: Scheduler) => [string, Coroutine<void>][],
  poller = epollPoller(),
): void {
  console.log(title)
  const scheduler = new Scheduler({ poller })
  for (const [name, coroutine] of tasks(scheduler)) scheduler.new(coroutine, name)
  try {
    scheduler.run()
  } catch (error) {
    console.log(`  run: ${(error as Error).message}`)
  }
}

function pair(): [number, number] {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
}

function say(fd: number, text: string): void {
  send(fd, Buffer.from(text), text.length, 0)
}

function* reader(name: string, socket: Socket): Coroutine<void> {
  try {
    const line = yield* readline(socket)
    console.log(`  ${name} has ${line.toString().trimEnd()}`)
  } catch (error) {
    console.log(`  ${name}: ${(error as Error).message.replace(/descriptor \d+/, 'descriptor N')}`)
  }
}

// #region two-readers
run('two tasks read one descriptor', (scheduler) => {
  const [fd, peerFd] = pair()
  const socket = new Socket(scheduler, fd)
  function* peer(): Coroutine<void> {
    yield* pause() // until both wait
    say(peerFd, 'one\n')
  }
  return [
    ['first', reader('first', socket)],
    ['second', reader('second', socket)],
    ['peer', peer()],
  ]
})
// #endregion two-readers

run('a descriptor is closed while a task waits for it', (scheduler) => {
  const socket = new Socket(scheduler, pair()[0])
  function* closer(): Coroutine<void> {
    socket.close()
  }
  return [
    ['reader', reader('reader', socket)],
    ['closer', closer()],
  ]
})

// #region deadlock
run('nothing is left to wait for', () => {
  const [to, back] = [new Channel<string>(1), new Channel<string>(1)]
  function* passOn(from: Channel<string>, to: Channel<string>): Coroutine<void> {
    yield* to.send((yield* from.receive()) ?? 'nothing')
  }
  return [
    ['ping', passOn(back, to)],
    ['pong', passOn(to, back)],
  ]
})
// #endregion deadlock

for (const [name, poller] of [
  ['select', selectPoller],
  ['epoll', epollPoller],
] as const) {
  run(
    `descriptor 1024 and another one, on ${name}`,
    (scheduler) => {
      const [fd, peerFd] = pair()
      const [otherFd, otherPeerFd] = pair()
      const highFd = fcntl(otherFd, F_DUPFD, FD_SETSIZE) // or the next that is free
      function* peer(): Coroutine<void> {
        yield* pause() // until both wait
        say(peerFd, 'hello\n')
        say(otherPeerFd, 'hello, too\n')
      }
      return [
        ['low', reader('low', new Socket(scheduler, fd))],
        ['high', reader('high', new Socket(scheduler, highFd))],
        ['peer', peer()],
      ]
    },
    poller(),
  )
}

run('a line without end', (scheduler) => {
  const [fd, peerFd] = pair()
  say(peerFd, 'short\nmuch too long for sixteen bytes')
  function* bounded(): Coroutine<void> {
    const lines = new LineReader(new Socket(scheduler, fd), 16)
    try {
      for (;;) console.log(`  has ${(yield* lines.readline()).toString().trimEnd()}`)
    } catch (error) {
      console.log(`  ${String(error)}`)
    }
  }
  return [['bounded', bounded()]]
})
