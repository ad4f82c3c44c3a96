// How many lines of a client that floods are served before one of a quiet client. The scheduler
// counts attempts, and a line that is in the reader's buffer takes none.

import { AF_UNIX, SOCK_NONBLOCK, SOCK_STREAM, send, socketpair } from '#posix'
import { Channel } from './channel.ts'
import { type Coroutine, Scheduler, pause } from './scheduler.ts'
import { LineReader, Socket } from './sockets.ts'

const LINES = 1000 // of the flood
const QUIET = 3 // lines of the quiet client

// #region fair-turn
/** Counts the lines of a task, and after so many lets all others go first. */
class Turn {
  readonly #lines: number
  #left: number

  constructor(lines: number) {
    this.#lines = lines
    this.#left = lines
  }

  *spend(): Coroutine<void> {
    if (--this.#left > 0) return
    this.#left = this.#lines
    yield* pause()
  }
}

function* serve(client: Socket, lines: number, served: () => void): Coroutine<void> {
  const [reader, turn] = [new LineReader(client), new Turn(lines)]
  for (;;) {
    const line = yield* reader.readline()
    if (line.length === 0) break
    served()
    yield* turn.spend()
  }
}
// #endregion fair-turn

/** Serves both, with so many lines a turn, and tells how far the flood was at each quiet line. */
function measure(lines: number): number[] {
  const scheduler = new Scheduler()
  const answers = new Channel<void>(1)
  const [flood, floodPeer] = pair(scheduler)
  const [quiet, quietPeer] = pair(scheduler)
  let flooded = 0
  const counts: number[] = []

  function* quietClient(): Coroutine<void> {
    for (let i = 0; i < QUIET; i++) {
      say(quietPeer, 'hello\n')
      yield* answers.receive() // one line at a time
    }
    quietPeer.close()
  }

  say(floodPeer, 'x\n'.repeat(LINES))
  floodPeer.close()
  scheduler.new(quietClient(), 'quiet client')
  scheduler.new(
    serve(flood, lines, () => flooded++),
    'flood',
  )
  scheduler.new(
    serve(quiet, lines, () => {
      counts.push(flooded)
      answers.trySend(undefined)
    }),
    'quiet',
  )
  scheduler.run()
  flood.close()
  quiet.close()
  return counts
}

for (const lines of [Infinity, 16, 1]) {
  const counts = measure(lines)
  const turn = lines === Infinity ? 'no limit' : `${lines} a turn`
  console.log(`${turn}: ${counts.join(', ')} lines of the flood before the quiet ones`)
}

function pair(scheduler: Scheduler): [Socket, Socket] {
  const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
  return [new Socket(scheduler, fd), new Socket(scheduler, peerFd)]
}

function say(socket: Socket, text: string): void {
  send(socket.fd, Buffer.from(text), text.length, 0)
}
