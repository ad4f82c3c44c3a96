// Wrong on purpose: makes the length of four bytes with <<, whose result is signed.

const MESSAGE_MAX = 65_536
let bytes = Buffer.from('ffffffff00000003627965', 'hex')

function lengthOf(prefix: Buffer): number {
  return (prefix[0]! << 24) | (prefix[1]! << 16) | (prefix[2]! << 8) | prefix[3]!
}

for (let round = 1; round <= 4; round++) {
  const length = lengthOf(bytes)
  if (length > MESSAGE_MAX) throw new Error('too long')
  const message = bytes.subarray(4, 4 + length)
  bytes = bytes.subarray(4 + length)
  console.log(`length ${length}: ${message.length} bytes taken, ${bytes.length} bytes left`)
}
