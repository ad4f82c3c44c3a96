// What happened in a run, lane by lane, in the order in which the test waited for it.
//
//   server   $ node reversing-server.ts 0          a command
//   server   │ listening on 127.0.0.1:PORT         a line on its standard output
//   server   ! recv ECONNRESET: ...                a line on its standard error
//   client 1 ▶ hello\n                             bytes sent
//   client 1 ◀ olleh                               bytes received
//   client 1 ─ half-close                          an act or an event
//
// A run with one program has no lanes: its lines stand as the terminal shows them.

import { normalise } from './normalise.ts'

export type Mark = '$' | '│' | '!' | '▶' | '◀' | '─'

export interface Transcript {
  add(lane: string, mark: Mark, text: string): void
  /** Ports that the kernel chose in this run; they are written as PORT. */
  ports: Set<number>
  toString(): string
}

export function createTranscript(): Transcript {
  const entries: { lane: string; mark: Mark; text: string }[] = []
  const ports = new Set<number>()
  return {
    ports,
    add(lane, mark, text) {
      entries.push({ lane, mark, text })
    },
    toString() {
      const width = Math.max(...entries.map(({ lane }) => lane.length))
      const alone = new Set(entries.map(({ lane }) => lane)).size === 1
      return entries
        .map(({ lane, mark, text }) => {
          if (alone) return mark === '│' ? text : `${mark} ${text}`
          return `${lane.padEnd(width)} ${mark} ${text}`
        })
        .map((line) => `${normalise(line, ports).trimEnd()}\n`)
        .join('')
    },
  }
}

/** Bytes as a transcript shows them: UTF-8 as it is, the rest as escapes, and a long text by its length. */
export function show(bytes: Uint8Array): string {
  if (bytes.length > 200) return `(${bytes.length.toLocaleString('en')} bytes)`
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  try {
    return escape(utf8.decode(bytes))
  } catch {
    return [...bytes].map((byte) => (byte < 0x80 ? escape(String.fromCodePoint(byte)) : hex(byte))).join('')
  }
}

const escapes = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\0', '\\0'],
  ['\\', '\\\\'],
])

function escape(text: string): string {
  return text.replaceAll(/[\p{Cc}\\]/gu, (char) => escapes.get(char) ?? hex(char.codePointAt(0)!))
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
