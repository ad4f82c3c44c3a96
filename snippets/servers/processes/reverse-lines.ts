// The service of 2.2 for one client: on a descriptor that somebody has opened, or on
// standard input and output.
// usage: node reverse-lines.ts [DESCRIPTOR]

import { readSync, writeSync } from 'node:fs'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const buffer = Buffer.alloc(LINE_MAX)

const [fd] = process.argv.slice(2)
try {
  if (fd === undefined) serve(0, 1)
  else serve(Number(fd), Number(fd)) // a connection carries bytes both ways
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

// #region serve
// Returns when the client has sent its last. On a connection read(2) is recv without
// flags, and write(2) is send.
function serve(input: number, output: number): void {
  let used = 0 // bytes in the buffer that are not a whole line yet
  while (used < LINE_MAX) {
    const received = readSync(input, buffer, used, LINE_MAX - used, null)
    const bytes = buffer.subarray(0, used + received)
    if (received === 0) {
      writeAll(output, bytes.reverse()) // the last line may lack its newline
      return
    }
    let start = 0
    let end = bytes.indexOf(NEWLINE, used)
    while (end !== -1) {
      writeAll(output, bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    bytes.copyWithin(0, start) // keep the beginning of the next line
    used = bytes.length - start
  }
  throw new RangeError(`no end of line in ${LINE_MAX} bytes`)
}

function writeAll(output: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(output, bytes, written)
  }
}
// #endregion serve
