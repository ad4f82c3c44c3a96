// The server of lines of bench/lines.ts on the scheduler of page 3.1.
// usage: node lines-coroutines.ts select|epoll byte|buffered PORT

import {
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOMAXCONN,
  TCP_NODELAY,
  bind,
  epollPoller,
  format,
  getsockname,
  listen,
  selectPoller,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'
import { type Coroutine, Scheduler } from '../snippets/coroutines/scheduler/scheduler.ts'
import { LineReader, Socket, Writer, readline } from '../snippets/coroutines/scheduler/sockets.ts'

const GOT = Buffer.from('GOT:')
const REPLIES = 65_536

const [poller, reader, port] = process.argv.slice(2)
const scheduler = new Scheduler({ poller: poller === 'select' ? selectPoller() : epollPoller() })

function* serverLoop(): Coroutine<void> {
  const addr = sockaddr('127.0.0.1', Number(port))
  const listenFd = socket(addr[0]!, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  const server = new Socket(scheduler, listenFd)
  for (;;) {
    const [client] = yield* server.accept()
    scheduler.new(clientHandler(client))
  }
}

function* clientHandler(client: Socket): Coroutine<void> {
  const lines = new LineReader(client)
  const replies = new Writer(client)
  try {
    for (;;) {
      let line = reader === 'byte' ? undefined : lines.buffered()
      if (line === undefined || replies.size >= REPLIES) {
        yield* replies.flush()
        line ??= yield* reader === 'byte' ? readline(client) : lines.readline()
      }
      if (line.length === 0) break
      replies.write(GOT)
      replies.write(line)
    }
  } catch {
    // a client of the load leaves with a reset
  } finally {
    client.close()
  }
}

scheduler.new(serverLoop())
scheduler.run()
