// An echo server for two clients at a time. The next one waits until a place is free, or is told
// that there is none.
// usage: node exercise-limit.ts wait|tell PORT [HOST]

import { writeSync } from 'node:fs'
import {
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  TCP_NODELAY,
  bind,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'
import { Channel } from './channel.ts'
import { type Coroutine, Scheduler } from './scheduler.ts'
import { LineReader, Socket, sendAll } from './sockets.ts'

const CLIENTS = 2
const BUSY = Buffer.from('busy\n')

const [mode = '', port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!['wait', 'tell'].includes(mode) || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-limit.ts wait|tell PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

// #region limit-places
const places = new Channel<true>(CLIENTS) // holds a value for each place that is taken

function* waits(server: Socket): Coroutine<void> {
  for (;;) {
    yield* places.send(true)
    const [client, peer] = yield* server.accept()
    scheduler.new(serve(client, peer), peer)
  }
}

function* tells(server: Socket): Coroutine<void> {
  for (;;) {
    const [client, peer] = yield* server.accept()
    const free = places.trySend(true)
    scheduler.new(free ? serve(client, peer) : refuse(client, peer), peer)
  }
}
// #endregion limit-places

// #region limit-serve
function* serve(client: Socket, peer: string): Coroutine<void> {
  try {
    log(`serving ${peer}`)
    const lines = new LineReader(client)
    for (;;) {
      const line = yield* lines.readline()
      if (line.length === 0) break
      yield* sendAll(client, line)
    }
    log(`closed ${peer}`)
  } catch (error) {
    log(`${peer} ${(error as Error).message}`)
  } finally {
    client.close()
    yield* places.receive() // gives the place back, and never waits: its own value is in there
  }
}

function* refuse(client: Socket, peer: string): Coroutine<void> {
  try {
    yield* sendAll(client, BUSY)
    log(`refused ${peer}`)
  } catch (error) {
    log(`${peer} ${(error as Error).message}`)
  } finally {
    client.close()
  }
}
// #endregion limit-serve

const scheduler = new Scheduler()
const server = listening(sockaddr(host, Number(port)))
scheduler.new(mode === 'wait' ? waits(server) : tells(server), 'server loop')
scheduler.run()

function listening(addr: Buffer): Socket {
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  log(`listening on ${format(getsockname(listenFd, addr))}`)
  return new Socket(scheduler, listenFd)
}

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
