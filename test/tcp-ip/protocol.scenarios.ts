// What the page shows, and what happens for it.

import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'
import { timeWait } from './protocol/time-wait.ts'

/** What plays beside the page's own tests; time-wait has a file of its own, which starts first. */
export const quick: Scenarios = {
  states: aloneAsRoot('states.ts'),
  four: aloneAsRoot('one-connection.ts', 'four'),
  three: aloneAsRoot('one-connection.ts', 'three'),
  reset: aloneAsRoot('one-connection.ts', 'reset'),
  lost: aloneAsRoot('one-connection.ts', 'lost'),
  nagle: aloneAsRoot('nagle.ts'),
  'nagle-node': alone('nagle-node.ts'),
  sniffer: aloneAsRoot('sniffer.ts', 'nagle-node.ts', 2),
  'exercise-census': aloneAsRoot('exercise-census.ts'),
}

export const scenarios: Scenarios = { ...quick, ...timeWait }
