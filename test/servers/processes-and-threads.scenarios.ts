import type { Program } from '../support/program.ts'
import type { Scenarios } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'

/** Sends a signal to a program, for the record. */
function signal(stage: Stage, program: Program, name: NodeJS.Signals): void {
  stage.transcript.add(program.lane, '─', name)
  program.kill(name)
}

export const scenarios: Scenarios = {
  async 'processes-and-threads-server'(stage) {
    const server = await stage.serve('server', 'processes-and-threads-server.ts', 0, '127.0.0.1', 2, 1)
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
    signal(stage, server, 'SIGTERM')
    await first.receiveEnd()
    await third.receiveEnd()
    await server.lines(2)
    await server.exit()
  },

  async spread(stage) {
    const program = stage.start('program', 'spread.ts')
    await program.lines(3) // each has its own limit: six threads take a while to start on Node 20
    await program.exit()
  },

  async 'a-process-dies'(stage) {
    const server = await stage.serve('server', 'processes-and-threads-server.ts', 0, '127.0.0.1', 2, 1)
    const first = await stage.connect('client 1', server)
    const pid = Number(/\d+/.exec(await server.line())![0])
    const second = await stage.connect('client 2', server)
    await server.line()
    stage.transcript.add('server', '─', 'SIGKILL to the process of client 1')
    process.kill(pid, 'SIGKILL')
    await first.receiveEndOrReset()
    await server.line()
    const third = await stage.connect('client 3', server)
    await server.line()
    await third.send('me too\n')
    await third.receive('oot em')
    await second.send('still there\n')
    await second.receive('ereht llits')
  },

  async 'stops-all'(stage) {
    const server = await stage.serve('server', 'stops-all.broken.ts', 0)
    signal(stage, server, 'SIGHUP')
    await server.lines(3)
    await server.exit()
  },

  async 'cluster-and-workers-node'(stage) {
    const server = await stage.serve('server', 'cluster-and-workers-node.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.send('999999999\n')
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('100\n')
    await server.line()
    await second.receive('25\n')
    first.nothingYet()
    signal(stage, server, 'SIGTERM')
    await first.receiveEnd()
    await second.receiveEnd()
    await server.exit()
  },

  async 'exercise-one-ends'(stage) {
    const server = await stage.serve('server', 'exercise-one-ends.ts', 0, '127.0.0.1', 1, 2)
    const first = await stage.connect('client 1', server)
    await first.send('hello\n')
    await first.receive('hello\n')
    signal(stage, server, 'SIGHUP')
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    await second.receive('me too\n')
    await first.send('still there\n')
    await first.receive('still there\n')
    await first.close()
    await server.line()
  },
}
