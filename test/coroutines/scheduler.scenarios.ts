import type { Scenarios } from '../support/recordings.ts'
import { cures } from './scheduler/cures.ts'
import { faults } from './scheduler/faults.ts'

export const scenarios: Scenarios = { ...faults, ...cures }
