import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type Scenario, onStage, playable, programsOf, recordings, testsOf } from '../support/recordings.ts'
import { recordedTable } from '../support/tables.ts'
import { scenarios } from './connections.scenarios.ts'

const slug = 'tcp-ip/connections'
const testOnStage = testsOf(slug)

recordings(slug, scenarios)

/** What a program prints in a network of its own, with the numbers that differ from run to run. */
async function printed(file: string, ...args: number[]): Promise<string[]> {
  let lines: string[] = []
  await onStage(programsOf(slug), {
    where: 'in a network namespace',
    async act(stage) {
      const program = stage.start('program', file, ...args)
      await program.ended
      lines = program.unawaited()
    },
  })
  return lines
}

const inNamespace = playable({ where: 'in a network namespace', act: async () => {} })

test.skipIf(!inNamespace)('the table of long and short connections', async () => {
  const [head, ...lines] = (await printed('long-and-short.ts')).map((line) => line.split(' | '))
  const columns = ['connections', ...head!.slice(1, -1), 'µs a request']
  const rows = lines.map((cells) => cells.map((cell, i) => (i === 0 ? cell : Number.parseInt(cell, 10))))
  await recordedTable(
    slug,
    'long-and-short.json',
    { title: head![0]!, columns, rows },
    {
      varies: ['µs a request'],
      holds([long, short]) {
        // The short ones make the same calls and more. The fastest of several rounds each, so that little else is in it.
        expect(short!['µs a request']).toBeGreaterThan(Number(long!['µs a request']))
      },
    },
  )
})

const linear = existsSync('/proc/sys/net/ipv4/tcp_syn_linear_timeouts')
if (!linear) console.warn('skipped: equal waits between SYNs: Linux has them from 6.5 on')

test.skipIf(!inNamespace || !linear)(
  'with one equal wait there is one SYN more, and it takes a second longer',
  async () => {
    const lines = await printed('connect-timeout.ts', 1, 1)
    expect(lines.filter((line) => line.startsWith('SYN after'))).toHaveLength(3)
    expect(lines.at(-1)).toBe('not before 4 s: true')
  },
)

test.for(['long-and-short.ts', 'gone-peer.ts', 'connect-timeout.ts'])(
  '%s says why it fails without CAP_NET_RAW',
  async (file) => {
    const denied: Scenario = {
      where: 'without raw sockets',
      async act(stage) {
        const program = stage.start('program', file)
        expect((await program.ended).status).toBe(1)
        expect(program.unawaited().at(-1)).toMatch(/^(unshare|socket) EPERM: operation not permitted$/)
      },
    }
    if (playable(denied)) await onStage(programsOf(slug), denied)
  },
)

describe('arguments', () => {
  testOnStage.for([
    ['connect-timeout.ts', '0'],
    ['connect-timeout.ts', '1', '10'],
    ['hand-over.ts'],
    ['hand-over.ts', '65536'],
    ['exercise-steady-client.ts', '0'],
  ])('%s %s: the usage', async ([file, ...args], { stage }) => {
    const program = stage.start('program', file!, ...args)
    expect((await program.ended).status).toBe(2)
    expect(program.unawaited()[0]).toMatch(`usage: node ${file}`)
  })

  testOnStage('a port that somebody else has', async ({ stage }) => {
    const listener = await stage.listen('somebody else')
    const program = stage.start('program', 'hand-over.ts', listener.address.port)
    expect((await program.ended).status).toBe(1)
    expect(program.unawaited()).toEqual([`bind EADDRINUSE: address already in use 127.0.0.1:${listener.address.port}`])
  })
})

testOnStage('a new server that ends before it is ready changes nothing', async ({ stage }) => {
  const old = await stage.serve('old', 'hand-over.ts', 0)
  const { host, port } = old.address
  const asker = connect(`\0hand-over ${host}:${port}`)
  await once(asker, 'data') // with the descriptor, which nobody takes
  asker.destroy()
  const client = await stage.connect('client', old)
  await client.receive('generation 1\n')
  await stage.serve('new', 'hand-over.ts', port)
  expect(await old.line()).toBe('handed over')
})
