import type { Scenarios } from '../../support/recordings.ts'

export const experiments: Scenarios = {}
