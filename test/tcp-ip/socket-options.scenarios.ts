// What the page shows, and what happens for it.

import type { Scenario, Scenarios } from '../support/recordings.ts'

/** A program that runs by itself. */
function run(file: string): Scenario {
  return (stage) => stage.run('program', file)
}

/** One that needs a network in which it is root. */
function runAsRoot(file: string): Scenario {
  return { where: 'in a network namespace', act: (stage) => stage.run('program', file) }
}

/** One that fails after it has printed some lines: status 1 and one line on standard error. */
function fails(file: string, lines: number): Scenario {
  return async (stage) => {
    const program = stage.start('program', file)
    await program.lines(lines)
    await program.errorLine()
    await program.exit()
  }
}

export const scenarios: Scenarios = {
  'raw-options': runAsRoot('raw-options.ts'),
  'low-water': run('low-water.ts'),
  'time-limits': run('time-limits.ts'),
  'pending-error': run('pending-error.ts'),
  'share-port': run('share-port.ts'),
  'two-families': runAsRoot('two-families.ts'),
  'segment-size': runAsRoot('segment-size.ts'),
  'when-to-send': run('when-to-send.ts'),
  'dead-peer': run('dead-peer.ts'),
  listening: run('listening.ts'),
  'fast-open': runAsRoot('fast-open.ts'),
  'ip-header': runAsRoot('ip-header.ts'),
  linger: runAsRoot('linger.ts'),
  'descriptor-flags': run('descriptor-flags.ts'),
  'node-options': run('node-options.ts'),
  'borrowed-number': run('borrowed-number.broken.ts'),
  'wrong-size': run('wrong-size.broken.ts'),
  'shared-port': fails('shared-port.broken.ts', 2),
  'linger-zero': fails('linger-zero.broken.ts', 2),
  'exercise-inherited': run('exercise-inherited.ts'),
  'exercise-unread': run('exercise-unread.ts'),
}
