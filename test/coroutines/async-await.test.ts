import { conformance } from '../support/conformance.ts'
import { recordings } from '../support/recordings.ts'
import { scenarios } from './async-await.scenarios.ts'

const slug = 'coroutines/async-await'

recordings(slug, scenarios)

const echo = {
  slug,
  reply: (line: Buffer) => Buffer.concat([Buffer.from('GOT:'), line, Buffer.from('\n')]),
  replyToRest: (rest: Buffer) => Buffer.concat([Buffer.from('GOT:'), rest]),
  model: 'concurrent',
  lineMax: 65_536,
} as const

conformance({ ...echo, file: 'await-server.ts', args: ['epoll'], stop: 'default' })
for (const poller of ['select', 'poll']) {
  conformance({ ...echo, file: 'await-server.ts', args: [poller], stop: 'default', opensLike: 'await-server.ts' })
}
conformance({ ...echo, file: 'net-server.ts', stop: 'orderly' })
