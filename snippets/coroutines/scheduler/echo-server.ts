// An echo server of coroutines: `GOT:` and the line, for every line, to any number of clients.
// usage: node echo-server.ts select|poll|epoll PORT [HOST]

import { writeSync } from 'node:fs'
import {
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  type SystemError,
  TCP_NODELAY,
  bind,
  epollPoller,
  family,
  format,
  getsockname,
  listen,
  pollPoller,
  selectPoller,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'
import { type Coroutine, Scheduler, sleep } from './scheduler.ts'
import { LineReader, Socket, Writer } from './sockets.ts'

const FULL = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) // no room for another connection
const RETRY = 1000 // milliseconds
const REPLIES = 65_536 // bytes that are sent without waiting for more
const GOT = Buffer.from('GOT:')

const pollers = { select: selectPoller, poll: pollPoller, epoll: epollPoller }

const [name = '', port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!Object.hasOwn(pollers, name) || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node echo-server.ts select|poll|epoll PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

// #region server
class EchoServer {
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  *serverLoop(addr: Buffer): Coroutine<void> {
    const server = listening(this.#scheduler, addr)
    for (;;) {
      try {
        const [client, peer] = yield* server.accept()
        log(`Got connection from ${peer}`)
        this.#scheduler.new(this.clientHandler(client, peer), peer)
      } catch (error) {
        const { code, message } = error as SystemError
        if (!FULL.has(code)) throw error
        log(message)
        yield* sleep(RETRY)
      }
    }
  }

  *clientHandler(client: Socket, peer: string): Coroutine<void> {
    const lines = new LineReader(client)
    const replies = new Writer(client)
    try {
      for (;;) {
        let line = lines.buffered()
        if (line === undefined || replies.size >= REPLIES) {
          yield* replies.flush() // before a wait
          line ??= yield* lines.readline()
        }
        if (line.length === 0) break
        replies.write(GOT)
        replies.write(line)
      }
      log(`Client closed ${peer}`)
    } catch (error) {
      log(`${peer} ${(error as Error).message}`)
    } finally {
      client.close()
    }
  }
}

const scheduler = new Scheduler({ poller: pollers[name as keyof typeof pollers]() })
const server = new EchoServer(scheduler)
scheduler.new(server.serverLoop(sockaddr(host, Number(port))), 'server loop')
scheduler.run()
// #endregion server

function listening(scheduler: Scheduler, addr: Buffer): Socket {
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
