// Wrong on purpose: makes text of each read, then looks for lines in the text.

const stream = Buffer.from('中文\nnaïve\n')
const due = JSON.stringify(['中文', 'naïve'])

// #region decode
function decode(reads: Buffer[]): string[] {
  let held = ''
  for (const read of reads) held += read.toString('utf8')
  return held.split('\n').slice(0, -1)
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
  return read.toString('hex')
}
