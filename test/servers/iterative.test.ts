import { conformance } from '../support/conformance.ts'
import { recordings } from '../support/recordings.ts'
import { scenarios } from './iterative.scenarios.ts'

const reply = (line: Buffer): Buffer => line.reverse()
const slug = 'servers/iterative'
const lineMax = 65_536

recordings(slug, scenarios)

conformance({ slug, file: 'reversing-server.ts', model: 'iterative', stop: 'default', reply, lineMax })
conformance({ slug, file: 'reversing-server-node.ts', model: 'concurrent', stop: 'orderly', reply, lineMax })
