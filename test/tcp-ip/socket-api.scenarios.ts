import type { Scenarios } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'

/** A program that fails on purpose, and says so itself. */
async function fails(stage: Stage, file: string): Promise<void> {
  const { status } = await stage.start('program', file).exit()
  if (status !== 1) throw new Error(`${file} ended with status ${status}, 1 was due`)
}

export const scenarios: Scenarios = {
  // Programs that play both sides of what they show, and end by themselves
  stream: (stage) => stage.run('program', 'stream.ts'),
  seqpacket: (stage) => stage.run('program', 'seqpacket.ts'),
  datagram: (stage) => stage.run('program', 'datagram.ts'),
  'datagram-limit': (stage) => stage.run('program', 'datagram-limit.ts'),
  'every-call': (stage) => stage.run('program', 'every-call.ts'),
  failures: (stage) => stage.run('program', 'failures.ts'),
  structs: (stage) => stage.run('program', 'structs.ts'),
  'byte-order': (stage) => stage.run('program', 'byte-order.ts'),
  names: (stage) => stage.run('program', 'names.ts'),
  'node-net': (stage) => stage.run('program', 'node-net.ts'),
  'node-dgram': (stage) => stage.run('program', 'node-dgram.ts'),
  'node-names': (stage) => stage.run('program', 'node-names.ts'),
  'node-defaults': (stage) => stage.run('program', 'node-defaults.ts'),
  'exercise-unix-stream': (stage) => stage.run('program', 'exercise-unix-stream.ts'),
  'exercise-resolve': (stage) => stage.run('program', 'exercise-resolve.ts', '192.0.2.1', '8080'),

  'forgotten-htons.broken': (stage) => fails(stage, 'forgotten-htons.broken.ts'),
  'stream-boundaries.broken': (stage) => fails(stage, 'stream-boundaries.broken.ts'),
  'closed-twice.broken': (stage) => fails(stage, 'closed-twice.broken.ts'),

  // What only root may do, or only others
  raw: { where: 'with raw sockets', act: (stage) => stage.run('program', 'raw.ts') },
  'raw-denied': { where: 'without raw sockets', act: (stage) => fails(stage, 'raw.ts') },
  'datagram-limit-ipv6': {
    where: 'in a network namespace', // where there is a ::1
    act: (stage) => stage.run('program', 'datagram-limit.ts', '::1'),
  },

  // It would go on for ever.
  async 'forgotten-end.broken'(stage) {
    const program = stage.start('program', 'forgotten-end.broken.ts')
    await program.lines(4)
    program.ignoreOutput()
  },

  async 'exercise-word-count'(stage) {
    const server = await stage.serve('server', 'exercise-word-count.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('two wo')
    await client.send('rds\n')
    await client.halfClose()
    await client.receive('1 lines, 2 words, 10 bytes\n')
    await client.receiveEnd()
    await server.line()
  },
}
