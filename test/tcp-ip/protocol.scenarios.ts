// What the page shows, and what happens for it.

import { type Scenarios, aloneAsRoot } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  states: aloneAsRoot('states.ts'),
  four: aloneAsRoot('one-connection.ts', 'four'),
  three: aloneAsRoot('one-connection.ts', 'three'),
  reset: aloneAsRoot('one-connection.ts', 'reset'),
  lost: aloneAsRoot('one-connection.ts', 'lost'),
}
