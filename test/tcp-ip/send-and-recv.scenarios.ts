// What the page shows, and what happens for it.

import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  'tcp-cells': aloneAsRoot('tcp-cells.ts'),
  'udp-cells': aloneAsRoot('udp-cells.ts'),
  'zero-window': aloneAsRoot('zero-window.ts'),
  sigpipe: alone('sigpipe.ts'),
  'unread-answer': alone('unread-answer.ts'),
  'closed-node': alone('closed-node.ts'),
  'exercise-still-there': alone('exercise-still-there.ts'),
  'exercise-acknowledged': alone('exercise-acknowledged.ts'),
}
