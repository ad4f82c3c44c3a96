import { recordings } from '../support/recordings.ts'
import { scenarios } from './protocol.scenarios.ts'

const slug = 'tcp-ip/protocol'

recordings(slug, scenarios)
