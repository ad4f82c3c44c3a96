import { connect } from 'node:net'
import { expect } from 'vitest'
import { conformance } from '../support/conformance.ts'
import { takeDescriptors } from '../servers/multiplexing/kernel.ts'
import { reset } from '../support/flood.ts'
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
  await takeDescriptors(server)
  const second = await stage.connect('client 2', server)
  expect(await server.line()).toBe('accept EMFILE: too many open files')
  await second.send('hello\n')
  for (let i = 0; i < 100; i++) {
    await first.send(`${i}\n`)
    await first.receive(`GOT:${i}\n`)
  }
  second.nothingYet()
  await first.close()
  await second.receive('GOT:hello\n')
})

/** How many lines of others a server may answer before it answers one client, where it is quickest; a chunk has 32,768. */
const LINES_BEFORE = 5000

test.for([
  ['await-server.ts', ['epoll']],
  ['net-server.ts', []],
] as const)('%s: clients that send all they can do not keep another one waiting', async ([file, args], { stage }) => {
  const server = await stage.serve('server', file, ...args, 0)
  server.ignoreOutput()
  const chunk = Buffer.alloc(65_536, 'x\n')
  let received = 0
  const floods = [connect(server.address), connect(server.address)]
  for (const socket of floods) {
    const push = (): void => {
      while (socket.writable && socket.write(chunk));
    }
    socket.on('error', () => {})
    socket.on('connect', push)
    socket.on('drain', push)
    socket.on('data', ({ length }) => {
      received += length
    })
  }
  const client = await stage.connect('client', server)
  const before: number[] = []
  for (let i = 0; i < 20; i++) {
    const sent = received
    await client.send('hello\n')
    await client.receive('GOT:hello\n')
    before.push((received - sent) / 'GOT:x\n'.length)
  }
  before.splice(0, 5) // while they begin
  expect(Math.min(...before)).toBeLessThan(LINES_BEFORE)
  await Promise.all(floods.map(reset))
})
