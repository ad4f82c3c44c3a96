// What may differ from one run to the next, and what is written in its place. Outputs are compared after this and nothing else.

interface Normaliser {
  what: string
  pattern: RegExp
  replacement: string
}

export const normalisers: readonly Normaliser[] = [
  {
    what: 'a port behind an address',
    pattern: /(?<=(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.%a-z]*\]|localhost):)(?!0\b)\d{1,5}\b/g,
    replacement: 'PORT',
  },
  { what: 'a process id', pattern: /\bpid \d+/g, replacement: 'pid PID' },
  { what: 'a file descriptor', pattern: /\bfd \d+/g, replacement: 'fd FD' },
  { what: 'a measured duration', pattern: /\bafter \d+(?:\.\d+)? ms\b/g, replacement: 'after N ms' },
  { what: 'a measured cost', pattern: /\b\d+(?:\.\d+)? µs/g, replacement: 'N µs' },
  { what: 'a measured amount', pattern: /\b\d+(?:\.\d+)? bytes a message/g, replacement: 'N bytes a message' },
]

/**
 * Applies the list above, and writes PORT for the ports that the run itself was given by the kernel where they stand alone
 * (in a command line, or after the word "port").
 */
export function normalise(text: string, ports: ReadonlySet<number>): string {
  let result = text
  for (const { pattern, replacement } of normalisers) result = result.replaceAll(pattern, replacement)
  return result.replaceAll(/(?<=port |\$ .*)\b\d{1,5}\b/g, (digits) => (ports.has(Number(digits)) ? 'PORT' : digits))
}
