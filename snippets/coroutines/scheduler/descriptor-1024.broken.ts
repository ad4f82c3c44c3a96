// Wrong on purpose: one task waits for a descriptor that does not fit in an fd_set. The error is
// thrown where the sets are made, in the scheduler, and so it ends all tasks.

import { writeSync } from 'node:fs'
import { AF_UNIX, FD_SETSIZE, F_DUPFD, SOCK_STREAM, fcntl, send, socketpair } from '#posix'
import { Scheduler, Socket, type Steps, readline } from './cookbook.broken.ts'

const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const [otherFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
const lastFd = fcntl(otherFd, F_DUPFD, FD_SETSIZE) // the first from 1024 on that is free
const line = Buffer.from('hello\n')

function* reader(name: string, socket: Socket): Steps<void> {
  try {
    log(`${name} has ${(yield* readline(socket)).toString().trimEnd()}`)
  } catch {
    log(`${name} has an error`) // which it could handle
  } finally {
    log(`${name} has cleaned up`)
  }
}

const sched = new Scheduler()
sched.new(reader('low', new Socket(fd)))
sched.new(reader('high', new Socket(lastFd)))
send(peerFd, line, line.length, 0) // low could have it
try {
  sched.run()
} catch (error) {
  log(`run: ${(error as Error).message}`)
}

function log(text: string): void {
  writeSync(1, `${text}\n`)
}
