// Wrong on purpose: looks for the two bytes that end a line in each read by itself.

const stream = Buffer.from('hello\r\nbye\r\n')
const due = JSON.stringify(['hello', 'bye'])

// #region decode
function decode(reads: Buffer[]): string[] {
  const lines: string[] = []
  let held = ''
  for (const read of reads) {
    const [first = '', ...others] = read.toString('latin1').split('\r\n')
    held += first
    for (const next of others) {
      lines.push(held)
      held = next
    }
  }
  return lines
}
// #endregion decode

let right = 0
for (let cut = 0; cut < stream.length; cut++) {
  const reads = cut === 0 ? [stream] : [stream.subarray(0, cut), stream.subarray(cut)]
  const given = JSON.stringify(decode(reads))
  if (given === due) right += 1
  else console.log(`${reads.map(show).join(' | ')}: ${given}`)
}
console.log(`${right} right, ${stream.length - right} wrong`)

function show(read: Buffer): string {
  return JSON.stringify(read.toString())
}
