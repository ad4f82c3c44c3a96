import { recordings, testsOf } from '../support/recordings.ts'
import { scenarios } from './io-models.scenarios.ts'

const slug = 'servers/io-models'
const test = testsOf(slug)

recordings(slug, scenarios)
