import { conformance } from '../support/conformance.ts'
import { recordings } from '../support/recordings.ts'
import { scenarios } from './multiplexing.scenarios.ts'

const slug = 'servers/multiplexing'

recordings(slug, scenarios)

/** An echo server gives back the newline too, and a last line that lacks it as it is. */
const echo = {
  slug,
  model: 'concurrent',
  stop: 'default',
  reply: (line: Buffer) => Buffer.concat([line, Buffer.from('\n')]),
  replyToRest: (rest: Buffer) => rest,
} as const

conformance({ ...echo, file: 'select-server.ts', greeting: 'Welcome to server!\n', clientsAtOnce: 900 })
conformance({ ...echo, file: 'poll-server.ts', clientsAtOnce: 1000 })
conformance({ ...echo, file: 'epoll-server.ts', clientsAtOnce: 1000 })
conformance({ ...echo, file: 'epoll-edge-server.ts' })
conformance({ ...echo, file: 'epoll-oneshot-server.ts' })
