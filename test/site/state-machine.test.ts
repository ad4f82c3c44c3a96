// The figure of page 1.1 shows what its program has seen, and nothing that it has not, but with the reason.

import { describe, expect, test } from 'vitest'
import { type Edge, edges, paths, states, transitions } from '../../.vitepress/theme/state-machine.ts'
import { output } from '../support/recordings.ts'

const name = ({ from, to }: { from: string; to: string }): string => `${from} → ${to}`
const printed = transitions(output('tcp-ip/protocol', 'states')).filter(({ from, to }) => from !== to)
const seen = new Set(printed.map(name))

/** The corners of an edge's line, which is made of moves across and down: M109 84H24V153. */
function corners({ line }: Edge): [x: number, y: number][] {
  let [x, y] = [0, 0]
  return [...line.matchAll(/M(\d+) (\d+)|H(\d+)|V(\d+)/g)].map(([, startX, startY, across, down]) => {
    x = Number(startX ?? across ?? x)
    y = Number(startY ?? down ?? y)
    return [x, y]
  })
}

/** Whether a point is on the edge of a state's box. */
function touches([x, y]: [number, number], state: string): boolean {
  return states.some(([name, middleX, middleY]) => {
    const [acrossBy, downBy] = [Math.abs(x - middleX), Math.abs(y - middleY)]
    const onSide = (acrossBy === 47 && downBy < 14) || (downBy === 14 && acrossBy < 47)
    return name === state && onSide
  })
}

describe('the figure of the states', () => {
  test('has the eleven states', () => {
    expect(new Set(states.map(([state]) => state)).size).toBe(11)
  })

  test('has each transition that the program printed', () => {
    expect(printed.length).toBeGreaterThan(20) // they are read at all
    const known = new Set(edges.map(name))
    expect([...seen].filter((one) => !known.has(one))).toEqual([])
  })

  test('gives the reason for each transition that the program did not print, and for no other', () => {
    expect(edges.filter((edge) => edge.unseen !== '').map(name)).toEqual(
      edges.map(name).filter((one) => !seen.has(one)),
    )
  })

  test('has each transition once, in the order of its groups: the list of the control is the order of its buttons', () => {
    expect(new Set(edges.map(name)).size).toBe(edges.length)
    const order = Object.keys(paths)
    const places = edges.map(({ path }) => order.indexOf(path))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  test('draws each line from its state to its state, and a short one to CLOSED', () => {
    for (const edge of edges) {
      const points = corners(edge)
      expect(touches(points[0]!, edge.from), `${name(edge)} starts there`).toBe(true)
      if (edge.path === 'end') expect(edge.to).toBe('CLOSED')
      else expect(touches(points.at(-1)!, edge.to), `${name(edge)} ends there`).toBe(true)
    }
  })
})
