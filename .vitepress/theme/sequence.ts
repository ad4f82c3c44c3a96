// What a sequence diagram is made of, and how it is laid out.
//
// The layout is done once, while the site is built. Horizontal places are percentages and vertical ones pixels, so that a diagram
// stretches to its column while its text keeps its size: nothing shrinks on a phone.

export interface Lane {
  id: string
  label: string
}

/** Something that happens on one lane. */
export interface Act {
  at: string
  label: string
  /** A second, quieter line inside the box. */
  note?: string
  /**
   * A call (the default), a call that blocks until the step named in `until`, the state a side is in from here on, or a remark on
   * what it sees.
   */
  kind?: 'call' | 'blocks' | 'state' | 'remark'
  /** With `blocks`: id of the step that ends the wait. Without it the wait lasts until the next step that touches the lane. */
  until?: string
  id?: string
  /** Draw it in the row of the step before, which must be on another lane. */
  beside?: boolean
}

/** Something that travels from one lane to another. */
export interface Flow {
  from: string
  to: string
  label: string
  /** A segment of the protocol (the default), bytes of the application, or a segment that never arrives. */
  kind?: 'segment' | 'data' | 'lost'
  id?: string
}

/** A line across all lanes, naming what follows. */
export interface Phase {
  phase: string
}

export type Step = Act | Flow | Phase

export interface Line {
  text: string
  y: number
}

export interface Box {
  type: 'box'
  kind: 'call' | 'blocks' | 'state' | 'remark'
  x: string
  y: number
  width: number
  height: number
  label: Line[]
  note: Line[]
}

export interface Arrow {
  type: 'arrow'
  kind: 'segment' | 'data' | 'lost'
  x1: string
  x2: string
  y1: number
  y2: number
  /** 1 points right, -1 left. */
  towards: 1 | -1
  middle: string
  label: Line[]
}

export interface Bar {
  x: string
  y: number
  height: number
}

export interface Rule {
  type: 'rule'
  y: number
  label: string
}

export interface Layout {
  height: number
  heads: { x: string; width: number; label: string }[]
  headHeight: number
  bars: Bar[]
  shapes: (Box | Arrow | Rule)[]
  /** The steps in words. */
  words: string[]
}

/** Width of the drawing on the narrowest phone we design for (360 px less margins); wider screens only have more room. */
const narrow = 300

const lineHeight = 17
const gap = 12
const headHeight = 28

/** Width of a text at 13 px, a little on the safe side. Full-width characters are one em wide, capitals wider than small letters. */
export function widthOf(text: string, mono: boolean): number {
  let width = 0
  for (const char of text)
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]/u.test(char)
      ? 13.2
      : mono
        ? 7.9
        : /[A-Z]/.test(char)
          ? 8.6
          : 6.9
  return width
}

/** Breaks a text at blanks so that its lines fit the room, and after '(' or ',' where one word alone does not. */
export function wrap(text: string, room: number, mono: boolean): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text
    .split(' ')
    .flatMap((part) => (widthOf(part, mono) > room ? part.split(/(?<=[(,/])/) : [part]))) {
    const joint = line === '' || /[(/]$/.test(line) ? '' : ' '
    if (line !== '' && widthOf(line + joint + word, mono) > room) {
      lines.push(line)
      line = word
    } else line += joint + word
  }
  return line === '' ? lines : [...lines, line]
}

export function layOut(lanes: Lane[], steps: Step[]): Layout {
  const centre = (id: string): number => {
    const index = lanes.findIndex((lane) => lane.id === id)
    if (index < 0) throw new Error(`sequence diagram: no lane '${id}' among ${lanes.map((lane) => lane.id).join(', ')}`)
    return (index + 0.5) / lanes.length
  }
  const nameOf = (id: string): string => lanes.find((lane) => lane.id === id)?.label ?? id
  const percent = (share: number): string => `${Number((share * 100).toFixed(3))}%`
  const column = narrow / lanes.length

  const shapes: Layout['shapes'] = []
  const words: string[] = []
  const spans: { step: Step; top: number; bottom: number }[] = []
  let top = headHeight + gap
  let bottom = top

  for (const step of steps) {
    if ('phase' in step) {
      top = bottom + gap / 2
      bottom = top + lineHeight + gap
      shapes.push({ type: 'rule', y: top + lineHeight / 2, label: step.phase })
      words.push(`${step.phase}:`)
    } else if ('at' in step) {
      const kind = step.kind ?? 'call'
      const room = column - 20
      const mono = kind !== 'remark'
      const label = wrap(step.label, room, mono)
      const note = step.note === undefined ? [] : wrap(step.note, room, false)
      const height = (label.length + note.length) * lineHeight + 9
      const width =
        Math.max(...label.map((line) => widthOf(line, mono)), ...note.map((line) => widthOf(line, false))) + 18
      if (!step.beside) top = bottom
      let y = top + lineHeight
      const place = (text: string): Line => {
        const line = { text, y }
        y += lineHeight
        return line
      }
      shapes.push({
        type: 'box',
        kind,
        x: percent(centre(step.at)),
        y: top,
        width,
        height,
        label: label.map(place),
        note: note.map(place),
      })
      spans.push({ step, top, bottom: top + height })
      bottom = Math.max(step.beside ? bottom : 0, top + height + gap)
    } else {
      const [from, to] = [centre(step.from), centre(step.to)]
      const kind = step.kind ?? 'segment'
      const label = wrap(step.label, Math.abs(to - from) * narrow - 14, false)
      top = bottom
      const y1 = top + label.length * lineHeight + 1
      const y2 = y1 + 9
      const end = kind === 'lost' ? from + (to - from) * 0.6 : to
      shapes.push({
        type: 'arrow',
        kind,
        x1: percent(from),
        x2: percent(end),
        y1,
        y2,
        towards: to > from ? 1 : -1,
        middle: percent((from + to) / 2),
        label: label.map((text, index) => ({ text, y: top + 13 + index * lineHeight })),
      })
      spans.push({ step, top: y1, bottom: y2 })
      words.push(
        `${nameOf(step.from)} to ${nameOf(step.to)}: ${step.label}${kind === 'lost' ? ', which is lost on the way' : ''}.`,
      )
      bottom = y2 + gap
      continue
    }
    if ('at' in step) {
      const end = wakerOf(step)
      const until = end === undefined ? '' : `, which blocks until ${describe(end)}`
      const what =
        step.kind === 'state'
          ? `${nameOf(step.at)} is in state ${step.label}`
          : `${nameOf(step.at)}: ${step.label}${until}`
      words.push(`${what}${step.note === undefined ? '' : ` (${step.note})`}.`)
    }
  }

  const bars: Bar[] = []
  for (const { step, bottom: start } of spans) {
    if (!('at' in step) || step.kind !== 'blocks') continue
    const end = wakerOf(step)
    const span = spans.find((one) => one.step === end)
    const stop = span === undefined ? bottom : end !== undefined && 'at' in end ? span.top : span.bottom
    bars.push({ x: percent(centre(step.at)), y: start, height: stop - start })
  }

  return {
    height: bottom + 4,
    heads: lanes.map((lane) => ({
      x: percent(centre(lane.id)),
      width: Math.min(widthOf(lane.label, false) + 26, column - 8),
      label: lane.label,
    })),
    headHeight,
    bars,
    shapes,
    words,
  }

  /** The step that ends a wait. */
  function wakerOf(step: Act): Act | Flow | undefined {
    if (step.kind !== 'blocks') return undefined
    const later = steps.slice(steps.indexOf(step) + 1).filter((one): one is Act | Flow => !('phase' in one))
    if (step.until === undefined) return later.find((one) => ('at' in one ? one.at === step.at : one.to === step.at))
    const found = later.find((one) => one.id === step.until)
    if (found === undefined)
      throw new Error(`sequence diagram: '${step.label}' waits for step '${step.until}', which does not come after it`)
    return found
  }

  function describe(step: Act | Flow): string {
    return 'at' in step ? `${step.label} at ${nameOf(step.at)}` : `${step.label} from ${nameOf(step.from)} arrives`
  }
}
