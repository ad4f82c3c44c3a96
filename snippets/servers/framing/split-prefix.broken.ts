// Wrong on purpose: puts a message together from many reads, but expects its length in
// one.

const stream = Buffer.from('\0\0\0\x05hello\0\0\0\x03bye')
const due = JSON.stringify(['hello', 'bye'])

// #region decode
function decode(reads: Buffer[]): string[] {
  const messages: string[] = []
  let missing = 0 // bytes of the message
  let held = ''
  for (const read of reads) {
    for (let at = 0; at < read.length;) {
      if (missing === 0) {
        missing = read.readUInt32BE(at)
        at += 4
      }
      const part = read.toString('latin1', at, at + missing)
      held += part
      at += part.length
      missing -= part.length
      if (missing > 0) break
      messages.push(held)
      held = ''
    }
  }
  return messages
}
// #endregion decode

let right = 0
for (let cut = 0; cut < stream.length; cut++) {
  const reads = cut === 0 ? [stream] : [stream.subarray(0, cut), stream.subarray(cut)]
  const given = attempt(() => JSON.stringify(decode(reads)))
  if (given === due) right += 1
  else console.log(`${reads.map(show).join(' | ')}: ${given}`)
}
console.log(`${right} right, ${stream.length - right} wrong`)

function show(read: Buffer): string {
  return read.toString('hex')
}

function attempt(action: () => string): string {
  try {
    return action()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'an error'
  }
}
