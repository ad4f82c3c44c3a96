// The experiments of 2.3: programs that make both ends of their connections themselves.

import type { Scenarios } from '../../support/recordings.ts'

export const experiments: Scenarios = {
  'edge-not-repeated': (stage) => stage.run('program', 'edge-not-repeated.ts'),
  'one-accept-per-edge': (stage) => stage.run('program', 'one-accept-per-edge.broken.ts'),
  'accept-until-eagain': (stage) => stage.run('program', 'accept-until-eagain.ts'),
  'dup-trap': (stage) => stage.run('program', 'dup-trap.ts'),
  'exercise-inherited': (stage) => stage.run('program', 'exercise-inherited.ts'),
  herd: (stage) => stage.run('program', 'herd.ts'),
  'hang-ups': (stage) => stage.run('program', 'hang-ups.ts'),
  'emfile-for-ever': (stage) => stage.run('program', 'emfile.broken.ts'),
  emfile: (stage) => stage.run('program', 'emfile.ts'),
  'what-epoll-takes': (stage) => stage.run('program', 'what-epoll-takes.ts'),
  'calls-per-message': (stage) => stage.run('program', 'calls-per-message.ts'),
  'prepared-once': (stage) => stage.run('program', 'prepared-once.ts'),
  exceptions: (stage) => stage.run('program', 'exceptions.ts'),
  'wait-cost': (stage) => stage.run('program', 'wait-cost.ts', 10, 100),
  allocation: (stage) => stage.run('program', 'allocation.ts'),
  'event-loop': (stage) => stage.run('program', 'event-loop.ts'),
}
