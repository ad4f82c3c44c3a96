import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test as plain } from 'vitest'
import { readLadder } from '../../.vitepress/ladders.ts'
import {
  type Scenario,
  onStage,
  output,
  playable,
  programsOf,
  recordings,
  root,
  testsOf,
} from '../support/recordings.ts'
import { recordedTable } from '../support/tables.ts'
import { quick } from './protocol.scenarios.ts'

const slug = 'tcp-ip/protocol'
const test = testsOf(slug)
const page = readFileSync(join(root, 'docs', `${slug}.md`), 'utf8')

recordings(slug, quick)

/** The states and the ways between them that the program has seen: `CLOSED → LISTEN`. */
function edges(): Set<string> {
  const found = [...output(slug, 'states').matchAll(/^([A-Z_12]+) +→ ([A-Z_12]+)\b/gm)]
  return new Set(found.map(([, from, to]) => `${from} → ${to}`))
}

describe('the state machine', () => {
  plain('each of the eleven states was seen', () => {
    const seen = new Set([...edges()].flatMap((edge) => edge.split(' → ')))
    const names =
      'CLOSED LISTEN SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT CLOSE_WAIT LAST_ACK'
    expect([...seen].toSorted()).toEqual(names.split(' ').toSorted())
  })

  plain('each edge of figure 5 of RFC 9293 but Send, and the end of TIME_WAIT', () => {
    const next = {
      CLOSED: ['LISTEN', 'SYN_SENT'],
      LISTEN: ['SYN_RECV', 'CLOSED'],
      SYN_SENT: ['SYN_RECV', 'ESTABLISHED', 'CLOSED'],
      SYN_RECV: ['ESTABLISHED', 'FIN_WAIT_1', 'CLOSED'],
      ESTABLISHED: ['FIN_WAIT_1', 'CLOSE_WAIT'],
      FIN_WAIT_1: ['FIN_WAIT_2', 'CLOSING', 'TIME_WAIT'],
      FIN_WAIT_2: ['TIME_WAIT'],
      CLOSING: ['TIME_WAIT'],
      CLOSE_WAIT: ['LAST_ACK'],
      LAST_ACK: ['CLOSED'],
    }
    for (const [from, all] of Object.entries(next)) {
      for (const to of all) expect(edges()).toContain(`${from} → ${to}`)
    }
    expect(edges()).not.toContain('LISTEN → SYN_SENT')
  })
})

const drawn = ['four', 'three', 'reset', 'lost'] as const

describe('the ladders', () => {
  plain.each(drawn)('every line of %s.out is a step', (name) => {
    const text = output(slug, name)
    const { lanes, steps } = readLadder(text, `${name}.out`)
    expect(lanes.map(({ id }) => id)).toEqual(['client', 'server'])
    expect(steps).toHaveLength(text.trimEnd().split('\n').length - 1) // all but the command
    expect(page).toContain(`/${slug}/${name}.out{ladder}`)
  })

  plain.each(drawn)('an unknown line anywhere in %s.out is an error', (name) => {
    const lines = output(slug, name).trimEnd().split('\n')
    for (const i of lines.keys()) {
      const changed = lines.toSpliced(i, 1, 'client: something else').join('\n')
      expect(() => readLadder(changed, 'x.out')).toThrow(
        `x.out:${i + 1}: "client: something else" is no line of a ladder`,
      )
    }
  })

  plain.each([
    ['a call that does not return', /^client: connect\(\) = 0\n[^]*/m, '', 'server: accept does not return'],
    ['a call inside of another', /^client: connect\(\) = 0/m, 'client: send() = 5', 'connect has not returned yet'],
    ['a wait inside of another', /^client: connect\(\) = 0/m, 'client: recv() …', 'connect has not returned yet'],
    ['a segment to its sender', /^client → server: SYN/m, 'client → client: SYN', 'from one side to the other'],
    ['a third side', /^client is SYN_SENT/m, 'router is SYN_SENT', 'a ladder has two sides, not 3'],
    ['a second command', /^--- .*/m, '$& \n$$ node x.ts', 'a second command'],
  ])('%s', (_what, pattern, replacement, error) => {
    const changed = output(slug, 'four').replace(pattern, replacement)
    expect(() => readLadder(changed, 'x.out')).toThrow(error)
  })

  plain('data are told from segments, and what is lost from what arrives', () => {
    const kinds = readLadder(output(slug, 'lost'), 'lost.out').steps.flatMap((step) =>
      'from' in step ? step.kind : [],
    )
    expect(kinds).toEqual(['segment', 'segment', 'segment', 'lost', 'data', 'lost', 'data', 'segment'])
  })
})

test('what the ways to write a question cost', async ({ stage }) => {
  const program = stage.start('program', 'nagle-node.ts')
  const lines = await program.lines(4)
  await program.exit()
  const rows = lines.map((line) => {
    const [, way, middle, longest] = /^(.+): the answer comes after (\S+) ms, at the latest after (\S+) ms$/.exec(line)!
    return [way!, Number(middle), Number(longest)]
  })
  const measured = {
    title: 'How long the answer takes on the loopback interface',
    columns: ['way', 'median of 5, ms', 'longest, ms'],
    rows,
  }
  await recordedTable(slug, 'nagle-cost.json', measured, {
    varies: ['median of 5, ms', 'longest, ms'],
    // The kernel delays an acknowledgement by 40 ms at the least; what is not delayed has no limit on a busy machine.
    holds: ([two]) => expect(two!['longest, ms']).toBeGreaterThan(30),
  })
})

describe('arguments', () => {
  const programs: [file: string, usage: string, wrong: (string | number)[][]][] = [
    ['one-connection.ts', 'four|three|reset|lost', [[], ['five'], ['toString'], ['four', 'three']]],
    ['nagle-node.ts', '[WAY]', [['4'], ['-1'], ['x'], [1, 2]]],
    ['sniffer.ts', 'PROGRAM [ARGUMENT …]', [[]]],
  ]
  const cases = programs.flatMap(([file, usage, wrong]) => wrong.map((args) => ({ file, usage, args })))

  test.for(cases)('$file $args', async ({ file, usage, args }, { stage }) => {
    const program = stage.start('program', file, ...args)
    expect((await program.ended).status).toBe(2)
    expect(program.unawaited()).toEqual([`usage: node ${file} ${usage}`])
  })
})

test.for(['states.ts', 'one-connection.ts', 'nagle.ts', 'sniffer.ts'])('%s without the rights', async (file) => {
  const denied: Scenario = {
    where: 'without raw sockets',
    async act(stage) {
      const program = stage.start('program', file, ...(file === 'one-connection.ts' ? ['four'] : ['nagle-node.ts']))
      expect((await program.ended).status).toBe(1)
      expect(program.unawaited()).toEqual([
        expect.stringMatching(/^(?:unshare|socket) EPERM: operation not permitted$/),
      ])
    },
  }
  if (playable(denied)) await onStage(programsOf(slug), denied)
})
