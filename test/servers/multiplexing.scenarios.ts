import type { Scenarios } from '../support/recordings.ts'
import { experiments } from './multiplexing/experiments.ts'
import { servers } from './multiplexing/servers.ts'

export const scenarios: Scenarios = { ...servers, ...experiments }
