import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'

/** A program that fails on purpose, and says so itself. */
async function fails(stage: Stage, file: string): Promise<void> {
  const { status } = await stage.start('program', file).exit()
  if (status !== 1) throw new Error(`${file} ended with status ${status}, 1 was due`)
}

export const scenarios: Scenarios = {
  // Programs that play both sides of what they show, and end by themselves
  stream: alone('stream.ts'),
  seqpacket: alone('seqpacket.ts'),
  datagram: alone('datagram.ts'),
  'datagram-limit': alone('datagram-limit.ts'),
  'every-call': alone('every-call.ts'),
  failures: alone('failures.ts'),
  structs: alone('structs.ts'),
  'byte-order': alone('byte-order.ts'),
  names: alone('names.ts'),
  'node-net': alone('node-net.ts'),
  'node-dgram': alone('node-dgram.ts'),
  'node-names': alone('node-names.ts'),
  'node-defaults': alone('node-defaults.ts'),
  'exercise-unix-stream': alone('exercise-unix-stream.ts'),
  'exercise-resolve': alone('exercise-resolve.ts', '192.0.2.1', '8080'),

  'forgotten-htons.broken': (stage) => fails(stage, 'forgotten-htons.broken.ts'),
  'stream-boundaries.broken': (stage) => fails(stage, 'stream-boundaries.broken.ts'),
  'closed-twice.broken': (stage) => fails(stage, 'closed-twice.broken.ts'),

  // What only root may do, or only others
  raw: { where: 'with raw sockets', act: alone('raw.ts') },
  'raw-denied': { where: 'without raw sockets', act: (stage) => fails(stage, 'raw.ts') },
  'datagram-limit-ipv6': aloneAsRoot('datagram-limit.ts', '::1'), // where there is a ::1

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
