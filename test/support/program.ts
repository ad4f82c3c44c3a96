// A program of the book, started as a reader starts it: `node FILE ARGUMENTS` in the folder that holds the file.

import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Transcript, show } from './transcript.ts'
import { type Call, threadCalls, untilWaitsIn } from './blocked.ts'
import { descendants, listenersAt } from './leaks.ts'
import { type Exit, spawn } from './spawn.ts'
import { within } from './within.ts'

export interface Address {
  host: string
  port: number
}

export interface Program {
  readonly lane: string
  /** Its file name. */
  readonly file: string
  readonly pid: number
  /** Where it listens; known once `listening()` has resolved. */
  readonly address: Address
  /** Whether a socket with which it listened there still does, in this process or in one that it has started. */
  listens(): boolean
  readonly stdin: Writable
  /** Types a text on its standard input, as a user does; recorded. */
  type(text: string): void
  /** Ends its standard input, as Ctrl+D does; recorded. */
  endInput(): void
  /** Whether it is still running. */
  running(): boolean
  /** The next line on standard output, recorded. */
  line(): Promise<string>
  lines(count: number): Promise<string[]>
  /** The next line on standard error, recorded. */
  errorLine(): Promise<string>
  /** Waits for `listening on HOST:PORT`, recorded. */
  listening(): Promise<Address>
  /** Waits until it sleeps in a call, in recv without a byte for it in the kernel; recorded. On Linux only. */
  waitsIn(call: Call): Promise<void>
  /** Sends a signal; what follows is awaited by exit(). */
  kill(signal: NodeJS.Signals): void
  /** Waits for its end; what it has printed by then and nobody has awaited is recorded, and how it ended. */
  exit(): Promise<Exit>
  /** The exit that is yet to come, or has come; records nothing. */
  readonly ended: Promise<Exit>
  /** Whether it has ended and nobody has asked for that: by no signal that ends, nor by awaiting it. */
  endedUnasked(): boolean
  /** From now on its lines are read and thrown away: for loads under which nobody counts them. */
  ignoreOutput(): void
  /** What it has printed and nobody has awaited, and the system calls of its threads: for whoever has waited for it in vain. */
  whereabouts(): string
  /** Lines that nobody has awaited. */
  unawaited(): string[]
}

export interface ProgramOptions {
  lane: string
  /** The folder that holds the program. */
  folder: string
  /** What runs it: the path of node and its flags. */
  node: readonly string[]
  file: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  transcript: Transcript
  /** What it finds on its standard input, which ends there. */
  input?: string | undefined
}

export function startProgram({ lane, folder, node, file, args, env, transcript, input }: ProgramOptions): Program {
  const pipe = input === undefined ? '' : `printf '${show(Buffer.from(input))}' | `
  transcript.add(lane, '$', pipe + ['node', file, ...args].join(' '))
  const [command, ...flags] = node
  const child = spawn({ file: command!, args: [...flags, file, ...args], cwd: folder, env })
  const stdout = lineQueue(child.stdout)
  const stderr = lineQueue(child.stderr)
  const { ended } = child
  let asked = false // somebody has ended it, or awaits its end
  if (input !== undefined) child.stdin.end(input)
  let address: Address | undefined
  let listeners: readonly number[] = []

  async function next(queue: LineQueue, mark: '│' | '!'): Promise<string> {
    const line = await within(queue.next(), `a line from ${lane} (${file})`)
    if (line === undefined) {
      const { status, signal } = await ended
      throw new Error(
        `${lane} (${file}) ended (${signal ?? `status ${status}`}) before it printed a line: ${stderr.rest().join(' ')}`,
      )
    }
    transcript.add(lane, mark, line)
    return line
  }

  function whereabouts(): string {
    const printed = [...stdout.rest(), ...stderr.rest()].join(' | ') || 'nothing'
    const calls = [child.pid, ...descendants(child.pid)].map((pid) => `${pid}: ${threadCalls(pid)}`)
    return `it has printed ${printed}, and its threads are in ${calls.join('; ')}`
  }

  return {
    lane,
    file,
    pid: child.pid,
    stdin: child.stdin,
    type(text) {
      transcript.add(lane, '─', `types ${show(Buffer.from(text))}`)
      child.stdin.write(text)
    },
    endInput() {
      transcript.add(lane, '─', 'end of input')
      child.stdin.end()
    },
    get ended() {
      asked = true
      return ended
    },
    endedUnasked: () => !child.running() && !asked,
    get address() {
      if (address === undefined) throw new Error(`${lane} (${file}) is not known to listen`)
      return address
    },
    listens: () => address !== undefined && listenersAt(address).some((inode) => listeners.includes(inode)),
    running: child.running,
    line: () => next(stdout, '│'),
    async lines(count) {
      const lines: string[] = []
      while (lines.length < count) lines.push(await next(stdout, '│'))
      return lines
    },
    errorLine: () => next(stderr, '!'),
    async listening() {
      const line = await next(stdout, '│')
      const match = /^listening on (?:\[([\da-f:.]+)\]|([\d.]+)):(\d+)$/.exec(line)
      if (match === null) throw new Error(`${lane} (${file}) printed "${line}" where "listening on HOST:PORT" was due`)
      address = { host: (match[1] ?? match[2])!, port: Number(match[3]) }
      transcript.ports.add(address.port)
      listeners = listenersAt(address)
      return address
    },
    async waitsIn(call) {
      await untilWaitsIn(call, child.pid, `${lane} (${file})`)
      transcript.add(lane, '─', `waits in ${call}`)
    },
    kill(signal) {
      asked ||= ['SIGTERM', 'SIGINT', 'SIGKILL'].includes(signal)
      child.kill(signal)
    },
    async exit() {
      asked = true
      const { status, signal } = await within(ended, `the end of ${lane} (${file})`).catch((reason: Error) => {
        throw new Error(`${reason.message}: ${whereabouts()}`)
      })
      for (const line of stdout.rest()) transcript.add(lane, '│', line)
      for (const line of stderr.rest()) transcript.add(lane, '!', line)
      transcript.add(lane, '─', signal === null ? `exit status ${status}` : `killed by ${signal}`)
      return { status, signal }
    },
    ignoreOutput() {
      stdout.ignore()
      stderr.ignore()
    },
    whereabouts,
    unawaited: () => [...stdout.rest(), ...stderr.rest()],
  }
}

interface LineQueue {
  /** The next line, or undefined once the stream has ended. */
  next(): Promise<string | undefined>
  /** Takes out what has come and nobody has asked for. */
  rest(): string[]
  ignore(): void
}

function lineQueue(stream: Readable): LineQueue {
  const lines: string[] = []
  const waiting: ((line: string | undefined) => void)[] = []
  let over = false
  let ignored = false
  const reader = createInterface({ input: stream })
  reader.on('line', (line) => {
    const first = waiting.shift()
    if (first !== undefined) first(line)
    else if (!ignored) lines.push(line)
  })
  reader.on('close', () => {
    over = true
    for (const resolve of waiting.splice(0)) resolve(undefined)
  })
  return {
    next() {
      if (lines.length > 0) return Promise.resolve(lines.shift())
      if (over) return Promise.resolve(undefined)
      return new Promise((resolve) => waiting.push(resolve))
    },
    rest: () => lines.splice(0),
    ignore() {
      ignored = true
      lines.length = 0
    },
  }
}
