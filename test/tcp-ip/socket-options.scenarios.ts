// What the page shows, and what happens for it.

import { type Scenario, type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'

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
  'raw-options': aloneAsRoot('raw-options.ts'),
  'low-water': alone('low-water.ts'),
  'time-limits': alone('time-limits.ts'),
  'pending-error': alone('pending-error.ts'),
  'share-port': alone('share-port.ts'),
  'two-families': aloneAsRoot('two-families.ts'),
  'segment-size': aloneAsRoot('segment-size.ts'),
  'when-to-send': alone('when-to-send.ts'),
  'dead-peer': alone('dead-peer.ts'),
  listening: alone('listening.ts'),
  'fast-open': aloneAsRoot('fast-open.ts'),
  'ip-header': aloneAsRoot('ip-header.ts'),
  linger: aloneAsRoot('linger.ts'),
  'descriptor-flags': alone('descriptor-flags.ts'),
  'node-options': alone('node-options.ts'),
  'borrowed-number': alone('borrowed-number.broken.ts'),
  'wrong-size': alone('wrong-size.broken.ts'),
  'shared-port': fails('shared-port.broken.ts', 2),
  'linger-zero': fails('linger-zero.broken.ts', 2),
  'exercise-inherited': alone('exercise-inherited.ts'),
  'exercise-unread': alone('exercise-unread.ts'),
}
