// What a diagram of layers is made of, and how it is laid out: rows of boxes from top to bottom, with named boundaries between them.
// Horizontal places are percentages and vertical ones pixels, as in sequence.ts.

import { wrap, type Line } from './sequence.ts'

/** One box of a row, or its label alone. */
export type Cell =
  | string
  | { label: string; note?: string; code?: boolean; /** Share of the row's width; 1 by default. */ share?: number }

export type Layer =
  | {
      boxes: Cell[]
      /** How the row is coloured: a program (the default), the API itself, a part of the kernel, or the hardware. */
      kind?: 'program' | 'api' | 'kernel' | 'device'
    }
  | { boundary: string }

interface Box {
  type: 'box'
  kind: string
  x: string
  middle: string
  width: string
  y: number
  height: number
  code: boolean
  label: Line[]
  note: Line[]
}

interface Boundary {
  type: 'boundary'
  y: number
  label: string
}

/** The drawing's width on the narrowest phone, and the gap between boxes as a share of it. */
const narrow = 300
const gutter = 0.02
const lineHeight = 17
const gap = 6

export function layOut(layers: Layer[]): { height: number; shapes: (Box | Boundary)[]; words: string[] } {
  const percent = (share: number): string => `${Number((share * 100).toFixed(3))}%`
  const shapes: (Box | Boundary)[] = []
  const words: string[] = []
  let y = 1

  for (const layer of layers) {
    if ('boundary' in layer) {
      shapes.push({ type: 'boundary', y: y + 10, label: layer.boundary })
      words.push(`Boundary: ${layer.boundary}.`)
      y += 20 + gap
      continue
    }
    const cells = layer.boxes.map((cell) => (typeof cell === 'string' ? { label: cell } : cell))
    const whole = cells.reduce((sum, cell) => sum + (cell.share ?? 1), 0)
    const free = 1 - gutter * (cells.length - 1)
    const texts = cells.map((cell) => {
      const width = ((cell.share ?? 1) / whole) * free
      const room = width * narrow - 14
      return {
        width,
        label: wrap(cell.label, room, cell.code === true),
        note: cell.note === undefined ? [] : wrap(cell.note, room, false),
      }
    })
    const lines = Math.max(...texts.map((text) => text.label.length + text.note.length))
    const height = lines * lineHeight + 17
    let x = 0
    for (const [index, text] of texts.entries()) {
      let baseline = y + height / 2 - ((text.label.length + text.note.length) * lineHeight) / 2 + 13
      const place = (line: string): Line => {
        const placed = { text: line, y: baseline }
        baseline += lineHeight
        return placed
      }
      shapes.push({
        type: 'box',
        kind: layer.kind ?? 'program',
        x: percent(x),
        middle: percent(x + text.width / 2),
        width: percent(text.width),
        y,
        height,
        code: cells[index]?.code === true,
        label: text.label.map(place),
        note: text.note.map(place),
      })
      x += text.width + gutter
    }
    words.push(
      `${cells.map((cell) => (cell.note === undefined ? cell.label : `${cell.label} (${cell.note})`)).join(', ')}.`,
    )
    y += height + gap
  }
  return { height: y, shapes, words }
}
