import { describe, expect } from 'vitest'
import { output, recordings, testsOf } from '../support/recordings.ts'
import { scenarios } from './buffers.scenarios.ts'

const slug = 'tcp-ip/buffers'
const test = testsOf(slug)

recordings(slug, scenarios)

test('a segment has 40 bytes of headers, and 12 for its timestamps', () => {
  const lines = [...output(slug, 'segments').matchAll(/MTU (\d+), (\d+) bytes of data and (\d+) of headers/g)]
  expect(lines).toHaveLength(5)
  for (const [, mtu, data, headers] of lines) {
    expect(Number(mtu) - Number(data)).toBe(52)
    expect(Number(headers)).toBe(52)
  }
})

describe('exercise-on-the-way.ts', () => {
  test.for([[], ['100'], ['0', '50'], ['100', 'soon']])('says how it is used: %s', async (args, { stage }) => {
    const program = stage.start('program', 'exercise-on-the-way.ts', ...args)
    expect(await program.errorLine()).toBe('usage: node exercise-on-the-way.ts MBIT_PER_SECOND ROUND_TRIP_MS')
    expect((await program.ended).status).toBe(2)
  })
})
