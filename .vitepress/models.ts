// A picture of what a program of 2.1 printed: `<<< blocking.out{model} [title]`, by pictures.ts. A line that does not belong to the
// little language below is an error, in the build and in the page's test.
//
//     recv(conn, buffer, 64) …       a call that may wait begins
//     recv = 6                       ... and has returned; `after 300 ms` may follow
//     recv(conn, buffer, 64) = 6     a call that does not wait: it has returned
//     buffer: "hello\n"              a look at the buffer, which is memory of the program
//     completion: 6                  a result that the program found in its memory, without a call
//     SIGIO                          a signal has come
//     works                          something else is done; more words may follow
//
// Where the buffer has changed from one look to the next, somebody has copied: the one call between them, or the kernel by itself.

import type { Lane, Step } from './theme/sequence.ts'

/** What a recording tells, and the picture of it. */
export interface Model {
  /** The calls in which the program was seen to wait, by the kernel's own account (`waits in recv`). */
  waitsIn: string[]
  /** The call in which the data were copied into the buffer; undefined where the kernel has done it without one. */
  copiedIn: string | undefined
  lanes: Lane[]
  steps: Step[]
}

type Event =
  | { type: 'begin'; call: string; args: string }
  | { type: 'end'; call: string; result: string }
  | { type: 'call'; call: string; args: string; result: string }
  | { type: 'look'; text: string }
  | { type: 'completion'; result: string }
  | { type: 'signal'; name: string }
  | { type: 'work' }
  | { type: 'waits'; call: string }
  | { type: 'sent'; text: string }

type Match = (groups: string[]) => Event | undefined

const nothing: Match = () => undefined

/** The lines of a recording: who, by which mark, and what it says. Groups of the pattern go to the function. */
const lines: [who: 'program' | 'peer', mark: string, pattern: RegExp, event: Match][] = [
  ['program', '│', /^([a-z_]\w*)\((.*)\) …$/, ([call, args]) => ({ type: 'begin', call: call!, args: args! })],
  [
    'program',
    '│',
    /^([a-z_]\w*) = (\d+|E[A-Z]+)(?: after \S+ ms)?$/,
    ([call, result]) => ({ type: 'end', call: call!, result: result! }),
  ],
  [
    'program',
    '│',
    /^([a-z_]\w*)\((.*)\) = (\d+|E[A-Z]+)$/,
    ([call, args, result]) => ({ type: 'call', call: call!, args: args!, result: result! }),
  ],
  ['program', '│', /^buffer: ("(?:[^"\\]|\\.)*")$/, ([text]) => ({ type: 'look', text: JSON.parse(text!) as string })],
  ['program', '│', /^completion: (\d+)$/, ([result]) => ({ type: 'completion', result: result! })],
  ['program', '│', /^(SIG[A-Z]+)$/, ([name]) => ({ type: 'signal', name: name! })],
  ['program', '│', /^works\b/, () => ({ type: 'work' })],
  ['program', '─', /^waits in ([a-z_]\w*)$/, ([call]) => ({ type: 'waits', call: call! })],
  ['peer', '▶', /^(.+)$/, ([text]) => ({ type: 'sent', text: text! })],
  // Before the read, and after it.
  ['program', '$', /^node \S+\.ts\b/, nothing],
  ['program', '│', /^listening on \S+$/, nothing],
  ['program', '─', /^exit status 0$/, nothing],
  ['peer', '─', /^(?:connect|end of stream)$/, nothing],
]

/** Reads a recording. Throws for a line that is none of the above, and where the lines do not fit together. */
export function readModel(text: string, file: string): Model {
  const events = text
    .trimEnd()
    .split('\n')
    .flatMap((line, i) => {
      const where = `${file}:${i + 1}`
      const [, who, mark, what] = /^(\S+)\s+(\S) (.*)$/.exec(line) ?? []
      for (const [lane, sign, pattern, event] of lines) {
        const match = who === lane && mark === sign ? pattern.exec(what!) : null
        if (match !== null) return [{ where, event: event(match.slice(1)) }]
      }
      throw new Error(`${where}: "${line}" is no line of a model, see .vitepress/models.ts`)
    })
    .filter((one): one is { where: string; event: Event } => one.event !== undefined)

  const steps: Step[] = []
  const waitsIn: string[] = []
  const program = 'program'
  let buffer: string | undefined
  let open: string | undefined // the call that has begun
  let since: { call: string; step: number; result: string }[] = [] // the calls since the last look that may have copied
  let completion: { step: number; result: string } | undefined
  let copy: { in: string | undefined } | undefined

  for (const { where, event } of events) {
    const fail = (why: string): never => {
      throw new Error(`${where}: ${why}`)
    }
    if (open !== undefined && !['end', 'waits', 'sent'].includes(event.type)) fail(`${open} has not returned yet`)
    switch (event.type) {
      case 'begin':
        open = event.call
        steps.push({ at: program, label: event.call, kind: 'blocks', ...noted(shortened(event.args)) })
        break
      case 'waits':
        if (event.call !== open) fail(`the program does not wait in ${event.call}: it is in ${open ?? 'no call'}`)
        waitsIn.push(event.call)
        break
      case 'end': {
        if (event.call !== open) fail(`${event.call} returns and has not begun`)
        open = undefined
        const begun = steps.findLast((step) => 'at' in step && step.kind === 'blocks' && step.label === event.call)
        Object.assign(begun!, { until: where })
        if (Number(event.result) > 0) since.push({ call: event.call, step: steps.length, result: event.result })
        steps.push({ from: 'kernel', to: program, label: `${event.call} returns ${event.result}`, id: where })
        break
      }
      case 'call':
        if (Number(event.result) > 0) since.push({ call: event.call, step: steps.length, result: event.result })
        steps.push({ at: program, label: event.call, note: `${shortened(event.args)} = ${event.result}`.trim() })
        break
      case 'completion':
        completion = { step: steps.length, result: event.result }
        steps.push({ at: program, label: `completion: ${event.result}`, kind: 'remark' })
        break
      case 'look': {
        const size = Buffer.byteLength(event.text)
        if (buffer !== undefined && buffer !== event.text) {
          if (since.length > 1) fail('more than one call since the last look at the buffer: which of them has copied?')
          if (copy !== undefined) fail('the buffer has changed a second time')
          const [by] = since
          copy = { in: by?.call }
          if (by === undefined && completion === undefined) fail('the buffer has changed, and nothing says why')
          const returned = by?.call.startsWith('recv') ? by.result : completion?.result
          if (returned !== undefined && returned !== String(size)) fail(`${returned} bytes were due in the buffer`)
          drawCopy(by, size, where)
        }
        steps.push({
          at: program,
          label: event.text === '' ? 'buffer: empty' : `buffer: ${JSON.stringify(event.text)}`,
          kind: 'remark',
        })
        buffer = event.text
        since = []
        completion = undefined
        break
      }
      case 'signal':
        steps.push({ from: 'kernel', to: program, label: event.name })
        break
      case 'work':
        steps.push({ at: program, label: 'working', kind: 'state' })
        break
      case 'sent':
        steps.push({ from: 'peer', to: 'kernel', label: event.text, kind: 'data' })
        break
    }
  }
  if (open !== undefined) throw new Error(`${file}: ${open} does not return`)
  if (copy === undefined) throw new Error(`${file}: nothing was copied into the buffer`)
  return { waitsIn, copiedIn: copy.in, lanes: [program, 'kernel', 'peer'].map((id) => ({ id, label: id })), steps }

  /** Puts the copy where it has happened: as what ends a call, or before the completion that tells of it. */
  function drawCopy(by: { call: string; step: number; result: string } | undefined, size: number, where: string): void {
    const arrow = { from: 'kernel', to: program, label: `copy of ${size} bytes`, kind: 'data' } as const
    if (by === undefined) {
      steps.splice(completion!.step, 0, arrow)
      return
    }
    const step = steps[by.step]!
    if ('from' in step) steps[by.step] = { ...arrow, id: step.id! } // it ends a wait
    else steps.splice(by.step, 1, { ...step, kind: 'blocks', until: where } as Step, { ...arrow, id: where })
  }
}

/** Arguments as the picture shows them: what is the same in each program is left out, and of a request only its name is left. */
function shortened(args: string): string {
  const request = /^(\w+)\(.*\)$/.exec(args)?.[1]
  if (request !== undefined) return `(${request})`
  const own = args.split(', ').filter((arg) => !['conn', 'buffer', '64', 'context'].includes(arg))
  return own.join(', ')
}

function noted(note: string): { note?: string } {
  return note === '' ? {} : { note }
}
