import { expect } from 'vitest'
import { conformance } from '../support/conformance.ts'
import { takeDescriptors } from '../servers/multiplexing/kernel.ts'
import { recordings, testsOf } from '../support/recordings.ts'
import { scenarios } from './async-await.scenarios.ts'

const slug = 'coroutines/async-await'
const test = testsOf(slug)

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

test('await-server.ts: without a descriptor it serves those it has, pauses, and takes the next when one leaves', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'await-server.ts', 'epoll', 0)
  const first = await stage.connect('client 1', server)
  await server.line()
  takeDescriptors(server)
  const second = await stage.connect('client 2', server)
  expect(await server.line()).toBe('accept EMFILE: too many open files')
  for (let i = 0; i < 100; i++) {
    await first.send(`${i}\n`)
    await first.receive(`GOT:${i}\n`)
  }
  second.nothingYet()
  await first.close()
  await second.send('hello\n')
  await second.receive('GOT:hello\n')
})
