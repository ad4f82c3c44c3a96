// Wrong on purpose: takes what one read gives for one message. Tried on every cut of a
// stream of two.

const stream = Buffer.from('hello\nbye\n')
const due = JSON.stringify(['hello', 'bye'])

// #region decode
function decode(reads: Buffer[]): string[] {
  return reads.map((read) => read.toString().trimEnd())
}
// #endregion decode

// #region every-cut
let right = 0
for (let cut = 0; cut < stream.length; cut++) {
  const reads = cut === 0 ? [stream] : [stream.subarray(0, cut), stream.subarray(cut)]
  const given = JSON.stringify(decode(reads))
  if (given === due) right += 1
  else console.log(`${reads.map(show).join(' | ')}: ${given}`)
}
console.log(`${right} right, ${stream.length - right} wrong`)
// #endregion every-cut

function show(read: Buffer): string {
  return JSON.stringify(read.toString())
}
