import { describe, expect, test } from 'vitest'
import { type Scenario, onStage, output, playable, programsOf, recordings } from '../support/recordings.ts'
import { recordedTable } from '../support/tables.ts'
import { scenarios } from './send-and-recv.scenarios.ts'

const slug = 'tcp-ip/send-and-recv'
const states = ['listen', 'accept', 'recv', 'send', 'close']
const NO_BREAK = '\u00a0'
const calls = ['connect', 'close', 'recv', 'send']

recordings(slug, scenarios)

/** A cell, as a program has printed it: a state of the server, a call of the client, what it returned, what was sent. */
type Cell = [server: string, client: string, returned: string, wire: string]

function cellsOf(name: string): Cell[] {
  const [, , ...lines] = output(slug, name).trimEnd().split('\n') // the command, and the names of the columns
  return lines.map((line) => line.split(' | ') as Cell)
}

describe.each([
  ['tcp', [...states, 'close, unread'], 'tcp-returns.json', 'tcp-wire.json'],
  ['udp', states, 'udp-returns.json', 'udp-wire.json'],
] as const)('the table of %s', (protocol, rows, returns, wire) => {
  test('has each call in each state, once', () => {
    const own = cellsOf(`${protocol}-cells`)
      .filter(([, client]) => client !== 'sendto')
      .map(([server, client]) => `${server}: ${client}`)
    expect(own).toEqual(rows.flatMap((state) => calls.map((call) => `${state}: ${call}`)))
  })

  test.each([
    [returns, 'What the call returns', 2],
    [wire, 'What goes over the wire', 3],
  ] as const)('%s', async (file, title, part) => {
    const text = (state: string, call: string): string => {
      const found = cellsOf(`${protocol}-cells`).filter(
        ([server, client]) => server === state && client.replace(/to$/, '') === call,
      )
      const texts = found.map((cell) => (cell[1] === call ? '' : 'without connect: ') + cell[part])
      return texts.join('; ').replaceAll(/(?<=[→←]) | (?=ACK|bytes)/g, NO_BREAK) // an arrow stays with its segment
    }
    const measured = {
      title,
      columns: ['server', ...calls],
      rows: rows.map((state) => [state, ...calls.map((call) => text(state, call))]),
    }
    await recordedTable(slug, file, measured, { varies: [], holds: () => {} })
  })
})

test.for(['tcp-cells.ts', 'udp-cells.ts', 'zero-window.ts'])(
  '%s says why it fails without CAP_NET_RAW',
  async (file) => {
    const denied: Scenario = {
      where: 'without raw sockets',
      async act(stage) {
        const program = stage.start('program', file)
        expect((await program.ended).status).toBe(1)
        expect(program.unawaited()).toEqual(['socket EPERM: operation not permitted'])
      },
    }
    if (playable(denied)) await onStage(programsOf(slug), denied)
  },
)
