// A picture of a connection that a program has printed: `<<< four.out{ladder} [title]`, by pictures.ts. A line that does not belong
// to the little language below is an error, in the build and in the page's test.
//
//     client: connect() …                     a call that waits begins
//     client: connect() = 0                   ... and has returned; without a beginning, a call that does not wait
//     client: close()                         a call of which only the segment counts that it sends
//     client is SYN_SENT                      the state of a side from here on
//     client holds back 5 bytes               what it has written and not sent
//     client → server: SYN, seq 0, MSS 536    a segment; `5 bytes, …` has data; ` (lost)` at its end: it does not arrive
//     --- the connection opens                a line across both, naming what follows

import type { Lane, Step } from './theme/sequence.ts'

/** Reads a recording. Throws for a line that is none of the above, and where the lines do not fit together. */
export function readLadder(text: string, file: string): { lanes: Lane[]; steps: Step[] } {
  const steps: Step[] = []
  const sides: string[] = []
  const open = new Map<string, string>() // the call in which a side waits

  for (const [i, line] of text.trimEnd().split('\n').entries()) {
    const where = `${file}:${i + 1}`
    const fail = (why: string): never => {
      throw new Error(`${where}: ${why}`)
    }
    const lane = (name: string): string => {
      if (!sides.includes(name)) sides.push(name)
      return name
    }
    const parsed = parse(line)
    switch (parsed?.type) {
      case undefined:
        fail(`"${line}" is no line of a ladder, see .vitepress/ladders.ts`)
        break
      case 'command':
        if (i > 0) fail('a second command')
        break
      case 'phase':
        steps.push({ phase: parsed.text })
        break
      case 'state':
        steps.push({ at: lane(parsed.side), label: parsed.state, kind: 'state' })
        break
      case 'remark':
        steps.push({ at: lane(parsed.side), label: parsed.text, kind: 'remark' })
        break
      case 'begin':
        if (open.has(parsed.side)) fail(`${open.get(parsed.side)} has not returned yet`)
        open.set(parsed.side, parsed.call)
        steps.push({ at: lane(parsed.side), label: parsed.call, kind: 'blocks' })
        break
      case 'call': {
        const waits = open.get(parsed.side)
        if (waits !== undefined) {
          if (waits !== parsed.call || parsed.result === undefined) fail(`${waits} has not returned yet`)
          open.delete(parsed.side)
          const begun = steps.findLast((step) => 'at' in step && step.kind === 'blocks' && step.at === parsed.side)
          Object.assign(begun!, { until: where })
        }
        const note = parsed.result === undefined ? {} : { note: `returns ${parsed.result}` }
        steps.push({ at: lane(parsed.side), label: parsed.call, ...note, ...(waits !== undefined && { id: where }) })
        break
      }
      case 'segment': {
        if (parsed.from === parsed.to) fail('a segment goes from one side to the other')
        const kind = parsed.lost ? 'lost' : /^\d+\sbytes?\b/.test(parsed.label) ? 'data' : 'segment'
        steps.push({ from: lane(parsed.from), to: lane(parsed.to), label: parsed.label, kind })
        break
      }
    }
  }
  for (const [side, call] of open) throw new Error(`${file}: ${side}: ${call} does not return`)
  if (sides.length !== 2) throw new Error(`${file}: a ladder has two sides, not ${sides.length}`)
  const lanes = sides.toSorted().map((id) => ({ id, label: id })) // the client on the left
  return { lanes, steps }
}

type Parsed =
  | { type: 'command' }
  | { type: 'phase'; text: string }
  | { type: 'state'; side: string; state: string }
  | { type: 'remark'; side: string; text: string }
  | { type: 'begin'; side: string; call: string }
  | { type: 'call'; side: string; call: string; result: string | undefined }
  | { type: 'segment'; from: string; to: string; label: string; lost: boolean }

function parse(line: string): Parsed | undefined {
  if (/^\$ node \S+\.ts\b/.test(line)) return { type: 'command' }
  const phase = /^--- (.+)$/.exec(line)
  if (phase !== null) return { type: 'phase', text: phase[1]! }
  const state = /^([a-z]+) is ([A-Z][A-Z_12]+)$/.exec(line)
  if (state !== null) return { type: 'state', side: state[1]!, state: state[2]! }
  const held = /^([a-z]+) (holds back \d+ bytes?)$/.exec(line)
  if (held !== null) return { type: 'remark', side: held[1]!, text: held[2]! }
  const begin = /^([a-z]+): ([a-z]+)\(\) …$/.exec(line)
  if (begin !== null) return { type: 'begin', side: begin[1]!, call: begin[2]! }
  const call = /^([a-z]+): ([a-z]+)\(\)(?: = (\d+|E[A-Z]+|a descriptor))?$/.exec(line)
  if (call !== null) return { type: 'call', side: call[1]!, call: call[2]!, result: call[3] }
  const segment =
    /^([a-z]+) → ([a-z]+): ((?:\d+ bytes?|[A-Z]{3}(?:\+ACK)?)(?:, (?:seq|ack|MSS) \d+)*)( \(lost\))?$/.exec(line)
  if (segment === null) return undefined
  const label = segment[3]!.replaceAll(/(?<=seq|ack|MSS) | (?=bytes?)/g, '\u00a0') // a number stays with its word
  return { type: 'segment', from: segment[1]!, to: segment[2]!, label, lost: segment[4] !== undefined }
}
