import { recordings } from '../../support/recordings.ts'
import { timeWait } from './time-wait.scenarios.ts'

recordings('tcp-ip/protocol', timeWait)
