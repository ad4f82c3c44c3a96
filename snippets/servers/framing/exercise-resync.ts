// SLIP, RFC 1055: a message ends with the byte END, which stands nowhere else. So a
// decoder that has lost its way finds it again at the next one.

const [END, ESC, ESC_END, ESC_ESC] = [0xc0, 0xdb, 0xdc, 0xdd]

const plainOf = new Map([
  [ESC_END, END],
  [ESC_ESC, ESC],
])

// #region encode
function encode(message: Buffer): Buffer {
  const stuffed = [...message].flatMap((byte) => {
    if (byte === END) return [ESC, ESC_END]
    if (byte === ESC) return [ESC, ESC_ESC]
    return [byte]
  })
  return Buffer.from([...stuffed, END])
}
// #endregion encode

// #region decoder
interface Decoder {
  push(chunk: Buffer): Generator<Buffer>
  /** How many messages were damaged. */
  dropped(): number
}

function slipDecoder(max: number): Decoder {
  const held = Buffer.alloc(max)
  let used = 0
  let escaped = false
  let damaged = false // whatever comes until the next END
  let dropped = 0

  function* push(chunk: Buffer): Generator<Buffer> {
    for (const byte of chunk) {
      if (byte === END) {
        const message = Buffer.from(held.subarray(0, used))
        if (damaged || escaped) dropped += 1
        else if (used > 0) yield message // two in a row hold nothing between them
        used = 0
        escaped = damaged = false
      } else if (byte === ESC && !escaped) {
        escaped = true
      } else {
        const plain = escaped ? plainOf.get(byte) : byte
        escaped = false
        if (plain === undefined || used === max) damaged = true
        else held[used++] = plain
      }
    }
  }
  return { push, dropped: () => dropped }
}
// #endregion decoder

const [first, last] = [encode(Buffer.from('first')), encode(Buffer.from('last'))]
const streams: [what: string, stream: Buffer][] = [
  ['as sent', Buffer.concat([first, last])],
  ['both bytes inside', encode(Buffer.of(0x61, END, ESC, 0x62))],
  ['begun in the middle', Buffer.concat([first.subarray(3), last])],
  ['a byte that no escape has', Buffer.concat([Buffer.of(0x61, ESC, 0x62, END), last])],
  ['an escape of nothing', Buffer.concat([Buffer.of(0x61, ESC, END), last])],
  ['too long', Buffer.concat([encode(Buffer.alloc(30, 'x')), last])],
  ['an END that is lost', Buffer.concat([first.subarray(0, -1), last])],
]
for (const [what, stream] of streams) {
  const due = replay([stream])
  let same = 0
  for (let cut = 1; cut < stream.length; cut++) {
    if (replay([stream.subarray(0, cut), stream.subarray(cut)]) === due) same += 1
  }
  console.log(`${what}: ${due}, the same in ${same} of ${stream.length - 1} cuts`)
}

function replay(reads: Buffer[]): string {
  const decoder = slipDecoder(20)
  const messages: string[] = []
  for (const read of reads) {
    for (const message of decoder.push(read))
      messages.push(JSON.stringify(message.toString('latin1')))
  }
  return `${messages.join(' ')}, ${decoder.dropped()} dropped`
}
