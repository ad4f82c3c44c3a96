// Wrong on purpose: a task closes a socket for which another one waits. The scheduler goes on
// asking for the number, which is nobody's now.

import { writeSync } from 'node:fs'
import { AF_UNIX, SOCK_STREAM, socketpair } from '#posix'
import { Scheduler, Socket, type Steps, readline } from './cookbook.broken.ts'

const [fd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const [otherFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const shared = new Socket(fd)

function* reader(name: string, socket: Socket): Steps<void> {
  log(`${name} waits`)
  yield* readline(socket)
  log(`${name} is resumed`)
}

function* closer(): Steps<void> {
  log('closer closes the socket of reader')
  shared.close()
}

const sched = new Scheduler()
sched.new(reader('reader', shared))
sched.new(reader('bystander', new Socket(otherFd)))
sched.new(closer())
try {
  sched.run()
} catch (error) {
  log(`run: ${(error as Error).message}`)
}

function log(text: string): void {
  writeSync(1, `${text}\n`)
}
