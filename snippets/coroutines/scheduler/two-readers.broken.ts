// Wrong on purpose: two tasks wait to read one descriptor. The map of those who wait has one place
// for it, so the second takes the place of the first, which is never resumed. When the second has
// returned, nobody waits for anything, and select waits for that without end.

import { writeSync } from 'node:fs'
import { AF_UNIX, SOCK_STREAM, send, socketpair } from '#posix'
import { Scheduler, Socket, type Steps, readline } from './cookbook.broken.ts'

const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const shared = new Socket(fd)
const lines = Buffer.from('one\ntwo\n') // one for each

function* reader(name: string): Steps<void> {
  log(`${name} waits`)
  const line = yield* readline(shared)
  log(`${name} has ${line.toString().trimEnd()}`)
}

const sched = new Scheduler()
sched.new(reader('first'))
sched.new(reader('second'))
send(peerFd, lines, lines.length, 0)
sched.run()
log('not reached')

function log(line: string): void {
  writeSync(1, `${line}\n`)
}
