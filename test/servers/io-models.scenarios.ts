import type { Call } from '../support/blocked.ts'
import { type Act, type Scenarios, alone } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'

/** Starts a program, connects to it, and waits for so many lines. */
async function connected(stage: Stage, file: string, lines: number, ...args: string[]) {
  const program = await stage.serve('program', file, 0, ...args)
  const peer = await stage.connect('peer', program)
  await program.lines(lines)
  return { program, peer }
}

/** The peer sends when the program has printed so many lines; the program prints so many more, and ends. */
function sentAfter(file: string, before: number, after: number): Act {
  return async (stage) => {
    const { program, peer } = await connected(stage, file, before)
    await peer.send('hello\n')
    await program.lines(after)
    await program.exit()
  }
}

/** The peer sends when the program has begun a call and waits in it. */
function sentInCall(file: string, call: Call, before: number): Act {
  return async (stage) => {
    const { program, peer } = await connected(stage, file, before)
    await program.waitsIn(call)
    await peer.send('hello\n')
    await program.exit()
  }
}

export const scenarios: Scenarios = {
  blocking: sentInCall('blocking.ts', 'recv', 2),
  'non-blocking': sentAfter('non-blocking.ts', 5, 2),
  multiplexed: sentInCall('multiplexed.ts', 'select', 4),
  'signal-driven': sentAfter('signal-driven.ts', 5, 4),
  asynchronous: { where: 'with io_uring', act: sentAfter('asynchronous.ts', 4, 2) },
  'kernel-aio': sentInCall('kernel-aio.ts', 'io_submit', 2),

  async 'busy-loop'(stage) {
    const { program, peer } = await connected(stage, 'busy-loop.broken.ts', 1)
    await peer.send('hello\n')
    await program.line()
    await program.exit()
  },

  async 'busy-loop-after-end'(stage) {
    const program = await stage.serve('program', 'busy-loop.broken.ts', 0)
    program.kill('SIGSTOP') // it has to find both, or it counts how often it found neither
    const peer = await stage.connect('peer', program)
    await peer.send('hel')
    await peer.halfClose()
    program.kill('SIGCONT')
    await program.line()
    program.kill('SIGTERM')
    await program.exit()
  },

  async 'eagain-is-an-error'(stage) {
    const { program } = await connected(stage, 'eagain-is-an-error.broken.ts', 0)
    await program.errorLine()
    await program.exit()
  },

  async 'no-handler'(stage) {
    const { program, peer } = await connected(stage, 'no-handler.broken.ts', 1)
    await peer.send('hello\n')
    await program.exit()
  },

  inherited: alone('inherited.ts'),

  'what-can-wait': alone('what-can-wait.ts'),

  async 'node-net'(stage) {
    const { program, peer } = await connected(stage, 'node-net.ts', 2)
    await peer.send('hello\n')
    await program.line()
    await peer.receiveEnd()
    await peer.close()
    await program.exit()
  },

  async 'node-fs'(stage) {
    const program = stage.start('program', 'node-fs.ts')
    await program.lines(2)
    program.type('hello\n')
    await program.line()
    await program.exit()
  },

  async 'node-dns'(stage) {
    const program = stage.start('program', 'node-dns.ts')
    await program.lines(3)
    program.endInput()
    await program.line()
    await program.exit()
  },

  'exercise-epoll': sentInCall('exercise-epoll.ts', 'epoll_wait', 4),
  'exercise-dontwait': sentInCall('exercise-dontwait.ts', 'recv', 3),

  async 'exercise-read-all'(stage) {
    const { program, peer } = await connected(stage, 'exercise-read-all.ts', 0)
    await peer.send('hel')
    await peer.send('lo\n')
    await program.line()
    await program.exit()
  },
}
