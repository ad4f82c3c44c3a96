// What node:readline makes of a stream of bytes.

import { createInterface } from 'node:readline'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

// #region no-bound
const chunks = Array.from({ length: 16 }, () => Buffer.alloc(1_048_576, 'x'))
const endless = Readable.from(chunks)
for await (const line of createInterface({ input: endless })) {
  console.log(`a line of ${line.length} bytes`)
}
// #endregion no-bound

// #region carriage-return
const bytes = Readable.from([Buffer.from('a\rb\n')])
for await (const line of createInterface({ input: bytes })) {
  console.log(`a line: ${JSON.stringify(line)}`)
}
// #endregion carriage-return

// #region delay
for (const crlfDelay of [100, Infinity]) {
  const slow = new PassThrough()
  const lines = readAll(slow, crlfDelay)
  slow.write('hello\r')
  await setTimeout(150)
  slow.end('\nbye\r\n')
  console.log(`crlfDelay ${crlfDelay}: ${JSON.stringify(await lines)}`)
}

async function readAll(input: Readable, crlfDelay: number): Promise<string[]> {
  const lines: string[] = []
  for await (const line of createInterface({ input, crlfDelay })) lines.push(line)
  return lines
}
// #endregion delay

// #region late
const early = new PassThrough()
const late = createInterface({ input: early })
early.write('one\ntwo\n')
await setTimeout(10) // for something else
setImmediate(() => early.end('three\n'))
for await (const line of late) console.log(`a loop that begins late: ${line}`)
// #endregion late
