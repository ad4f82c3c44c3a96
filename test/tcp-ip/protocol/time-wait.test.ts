import { recordings } from '../../support/recordings.ts'
import { timeWait } from './time-wait.ts'

recordings('tcp-ip/protocol', timeWait)
