// Wrong on purpose: a decoder that returns a list, and throws where a line is too long.

const stream = Buffer.from('ok\nabcdefghi\n')
const due = JSON.stringify(['ok', 'no end of line in 8 bytes'])

// #region decode
function lineDecoder(max: number): (read: Buffer) => string[] {
  let held = ''
  return (read) => {
    const lines = (held + read.toString('latin1')).split('\n')
    const tooLong = lines.some((line) => line.length >= max)
    if (tooLong) throw new Error(`no end of line in ${max} bytes`)
    held = lines.pop() ?? ''
    return lines
  }
}
// #endregion decode

let right = 0
for (let cut = 0; cut < stream.length; cut++) {
  const reads = cut === 0 ? [stream] : [stream.subarray(0, cut), stream.subarray(cut)]
  const given = JSON.stringify(received(reads))
  if (given === due) right += 1
  else console.log(`${reads.map(show).join(' | ')}: ${given}`)
}
console.log(`${right} right, ${stream.length - right} wrong`)

function show(read: Buffer): string {
  return JSON.stringify(read.toString())
}

/** What a server gets to see. */
function received(reads: Buffer[]): string[] {
  const decode = lineDecoder(8)
  const seen: string[] = []
  try {
    for (const read of reads) seen.push(...decode(read))
  } catch (error) {
    seen.push((error as Error).message)
  }
  return seen
}
