// What the page shows, and what happens for it.

import { type Scenarios, aloneAsRoot } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  states: aloneAsRoot('states.ts'),
}
