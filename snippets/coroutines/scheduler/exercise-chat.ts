// A chat of coroutines: each line that a client sends goes to all the others. Whoever does not read
// is dropped.
// usage: node exercise-chat.ts PORT [HOST]

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
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'
import { Channel } from './channel.ts'
import {
  Cancelled,
  type Coroutine,
  Scheduler,
  type Task,
  pause,
  scope,
  sleep,
} from './scheduler.ts'
import { LineReader, Socket, sendAll } from './sockets.ts'

const LINE_MAX = 1000 // bytes
const OUTBOX = 64 // lines
const FULL = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) // no room for another connection
const RETRY = 1000 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-chat.ts PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

// #region chat-member
interface Member {
  peer: string
  outbox: Channel<Buffer>
  task?: Task<void>
}

const members = new Set<Member>()

function* chat(client: Socket, member: Member): Coroutine<void> {
  const { peer, outbox } = member
  try {
    yield* scope(function* (inner) {
      inner.spawn(deliver(client, outbox), `delivery to ${peer}`)
      const lines = new LineReader(client, LINE_MAX)
      for (;;) {
        const line = yield* lines.readline()
        if (line.length === 0) break
        broadcast(member, line)
        yield* pause() // so that no client fills all channels before a delivery has its turn
      }
      members.delete(member)
      outbox.close() // what is in it is still delivered: the scope waits for that
    })
    log(`closed ${peer}`)
  } catch (error) {
    if (error instanceof Cancelled) throw error // broadcast has said why
    log(`${peer} ${(error as Error).message}`)
  } finally {
    members.delete(member)
    client.close()
  }
}

function* deliver(client: Socket, outbox: Channel<Buffer>): Coroutine<void> {
  for (;;) {
    const line = yield* outbox.receive()
    if (line === undefined) break
    yield* sendAll(client, line)
  }
}
// #endregion chat-member

// #region chat-broadcast
/** Never waits: the slowest client must not set the pace of all. */
function broadcast(from: Member, line: Buffer): void {
  for (const to of members) {
    if (to === from || to.outbox.trySend(line)) continue
    log(`${to.peer} does not read`)
    members.delete(to)
    to.task?.cancel()
  }
}
// #endregion chat-broadcast

function* serverLoop(addr: Buffer): Coroutine<void> {
  const server = listening(addr)
  for (;;) {
    try {
      const [client, peer] = yield* server.accept()
      log(`serving ${peer}`)
      const member: Member = { peer, outbox: new Channel<Buffer>(OUTBOX) }
      members.add(member)
      member.task = scheduler.new(chat(client, member), peer)
    } catch (error) {
      const { code, message } = error as SystemError
      if (!FULL.has(code)) throw error
      log(message)
      yield* sleep(RETRY)
    }
  }
}

const scheduler = new Scheduler()
scheduler.new(serverLoop(sockaddr(host, Number(port))), 'server loop')
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
