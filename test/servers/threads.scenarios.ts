import { spawnSync } from 'node:child_process'
import { threadCount } from '../support/leaks.ts'
import type { Program } from '../support/program.ts'
import { type Scenarios, alone } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'
import { untilThreadCount, untilThreadsIn, untilWaitsIn } from '../support/blocked.ts'

/** Sets how many descriptors a running program may have (the soft limit, which anybody may raise again). */
function limitDescriptors(stage: Stage, { pid, lane }: Program, most: number): void {
  stage.transcript.add(lane, '─', `prlimit --nofile=${most}:`)
  spawnSync('prlimit', [`--nofile=${most}:`, '--pid', String(pid)])
}

function terminate(stage: Stage, server: Program): void {
  stage.transcript.add(server.lane, '─', 'SIGTERM')
  server.kill('SIGTERM')
}

export const scenarios: Scenarios = {
  async 'thread-server'(stage) {
    const server = await stage.serve('server', 'thread-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hel')
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\n')
    await second.receive('oot em')
    await first.send('lo\n')
    await first.receive('olleh')
    await first.send('a last lin')
    await first.halfClose()
    await first.receive('nil tsal a')
    await first.receiveEnd()
    await server.line()
    await second.reset()
    await server.line()
  },

  async 'one-thread'(stage) {
    const server = await stage.serve('server', 'thread-server.ts', 0, '127.0.0.1', 1)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    await first.send('hello\n')
    await first.receive('olleh')
    second.nothingYet()
    await first.close()
    await server.lines(2)
    await second.receive('oot em')
  },

  async 'no-thread'(stage) {
    const server = await stage.serve('server', 'thread-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('olleh')
    await untilWaitsIn('accept', server.pid, server.lane) // which has taken a descriptor for the next client
    limitDescriptors(stage, server, 3)
    const second = await stage.connect('client 2', server)
    await server.lines(2)
    await second.receiveEnd()
    await first.send('still there\n')
    await first.receive('ereht llits')
    limitDescriptors(stage, server, 1000)
    await first.close()
    await server.line()
    const third = await stage.connect('client 3', server)
    await server.line()
    await third.send('me too\n')
    await third.receive('oot em')
  },

  async 'prethreaded-server'(stage) {
    const server = await stage.serve('server', 'prethreaded-server.ts', 0, '127.0.0.1', 2)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const third = await stage.connect('client 3', server)
    await third.send('me too\n')
    await second.send('hello\n')
    await second.receive('olleh')
    third.nothingYet()
    await second.close()
    await server.lines(2)
    await third.receive('oot em')
    await first.send('an unfinished li')
    terminate(stage, server)
    await first.receiveEnd()
    await third.receiveEnd()
    await server.lines(2)
    await server.exit()
  },

  waking: alone('waking.ts'),

  async 'exit-hangs'(stage) {
    const server = await stage.serve('server', 'exit-hangs.broken.ts', 0)
    await untilThreadsIn('accept', server.pid, 1)
    terminate(stage, server)
    await server.line()
    await untilWaitsIn('futex', server.pid, server.lane)
    stage.transcript.add('server', '─', 'waits for its thread')
    const client = await stage.connect('client', server)
    await server.exit()
    await client.receiveEndOrReset()
  },

  ends: alone('ends.ts'),

  'console-log': alone('console-log.ts'),

  async 'shared-slot'(stage) {
    const server = await stage.serve('server', 'shared-slot.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.lines(3)
    await first.send('hello\n')
    await second.send('me too\n')
    await second.receive('me too\n')
    first.nothingYet()
  },

  async unjoined(stage) {
    const server = await stage.serve('server', 'unjoined.broken.ts', 0)
    for (const name of ['client 1', 'client 2', 'client 3']) {
      const client = await stage.connect(name, server)
      await server.line()
      await client.send('hello\n')
      await client.receive('olleh')
      await client.close()
      await server.line()
    }
  },

  async 'never-ends'(stage) {
    const server = await stage.serve('server', 'never-ends.broken.ts', 0)
    for (const name of ['client 1', 'client 2', 'client 3']) {
      const client = await stage.connect(name, server)
      await server.line()
      await client.send('hello\n')
      await client.receive('hello\n')
      await client.halfClose()
      await client.receiveEnd()
    }
  },

  async 'unhandled-error'(stage) {
    const server = await stage.serve('server', 'unhandled-error.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await server.line()
    await first.receive('hello\n')
    const threads = threadCount(server.pid)
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send(Buffer.from([0xff]))
    await untilThreadCount(server.pid, threads) // its thread has ended
    await first.send('still there\n')
    await server.line()
    await first.receive('still there\n')
    const third = await stage.connect('client 3', server)
    await server.line()
    await server.errorLine()
    await third.send('hello\n')
    await untilWaitsIn('futex', server.pid, server.lane)
    stage.transcript.add('server', '─', 'waits for its thread')
    third.nothingYet()
    await first.close()
    await server.exit()
  },

  async 'primes-on-the-loop'(stage) {
    const server = await stage.serve('server', 'primes-on-the-loop.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('1000000\n')
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('100\n')
    await server.lines(4)
    await first.receive('78498\n')
    await second.receive('25\n')
  },

  async 'primes-server-node'(stage) {
    const server = await stage.serve('server', 'primes-server-node.ts', 0, '127.0.0.1', 2)
    const first = await stage.connect('client 1', server)
    await first.send('999999999\n')
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('100\n')
    await server.lines(2)
    await second.receive('25\n')
    first.nothingYet()
    await first.reset()
    await server.line()
    terminate(stage, server)
    await second.receiveEnd()
    await server.exit()
  },

  'hand-over-node': alone('hand-over-node.ts'),

  async 'exercise-orderly-stop'(stage) {
    const server = await stage.serve('server', 'exercise-orderly-stop.ts', 0, '127.0.0.1', 2)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const third = await stage.connect('client 3', server)
    await third.send('me too\n')
    await second.send('hello\n')
    await second.receive('olleh')
    third.nothingYet()
    terminate(stage, server)
    await first.receiveEnd()
    await second.receiveEnd()
    await third.receiveEndOrReset()
    await server.lines(2)
    await server.exit()
  },

  async 'exercise-queue'(stage) {
    const server = await stage.serve('server', 'exercise-queue.ts', 0, '127.0.0.1', 2)
    const first = await stage.connect('client 1', server)
    await first.send('one\n')
    await first.receive('one\n')
    const second = await stage.connect('client 2', server)
    await second.send('two\n')
    await second.receive('two\n')
    const third = await stage.connect('client 3', server)
    await third.send('three\n')
    await second.send('two again\n')
    await second.receive('two again\n')
    third.nothingYet()
    await first.close()
    await server.line()
    await third.receive('three\n')
  },
}
