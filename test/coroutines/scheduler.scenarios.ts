import type { Scenarios } from '../support/recordings.ts'
import { faults } from './scheduler/faults.ts'

export const scenarios: Scenarios = { ...faults }
