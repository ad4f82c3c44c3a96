// What the page shows, and what happens for it.

import { type Scenario, type Scenarios, alone } from '../support/recordings.ts'

/** One that needs a network in which it is root. */
function runAsRoot(file: string): Scenario {
  return { where: 'in a network namespace', act: alone(file) }
}

export const scenarios: Scenarios = {
  'tcp-cells': runAsRoot('tcp-cells.ts'),
  'udp-cells': runAsRoot('udp-cells.ts'),
  'zero-window': runAsRoot('zero-window.ts'),
  sigpipe: alone('sigpipe.ts'),
  'unread-answer': alone('unread-answer.ts'),
  'closed-node': alone('closed-node.ts'),
  'exercise-still-there': alone('exercise-still-there.ts'),
  'exercise-acknowledged': alone('exercise-acknowledged.ts'),
}
