import { recordings } from '../support/recordings.ts'
import { scenarios } from './iterative.scenarios.ts'

recordings('servers/iterative', scenarios)
