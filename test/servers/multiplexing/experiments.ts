// The experiments of 2.3: programs that make both ends of their connections themselves.

import { type Scenarios, alone } from '../../support/recordings.ts'

export const experiments: Scenarios = {
  'edge-not-repeated': alone('edge-not-repeated.ts'),
  'one-accept-per-edge': alone('one-accept-per-edge.broken.ts'),
  'accept-until-eagain': alone('accept-until-eagain.ts'),
  'dup-trap': alone('dup-trap.ts'),
  'exercise-inherited': alone('exercise-inherited.ts'),
  herd: alone('herd.ts'),
  'hang-ups': alone('hang-ups.ts'),
  'emfile-for-ever': alone('emfile.broken.ts'),
  emfile: alone('emfile.ts'),
  'what-epoll-takes': alone('what-epoll-takes.ts'),
  'calls-per-message': alone('calls-per-message.ts'),
  'prepared-once': alone('prepared-once.ts'),
  exceptions: alone('exceptions.ts'),
  'wait-cost': alone('wait-cost.ts', 10, 100),
  allocation: alone('allocation.ts'),
  'event-loop': alone('event-loop.ts'),
}
