// Netstrings: the length in decimal digits, a colon, the message, a comma. Tried on every
// cut of a stream, and on what is no netstring.

const COMMA = 0x2c

/** The other side does not keep to the framing. */
class FramingError extends Error {}

// #region decoder
interface Decoder {
  push(chunk: Buffer): Generator<Buffer>
  end(): void
}

function netstringDecoder(max: number): Decoder {
  let digits = '' // of the length
  let message: Buffer | undefined // once the length is known
  let filled = 0

  return {
    *push(chunk) {
      for (let start = 0; start < chunk.length;) {
        if (message === undefined) {
          const char = chunk.toString('latin1', start, ++start)
          if (char === ':' && digits !== '') {
            message = Buffer.alloc(Number(digits))
            filled = 0
          } else {
            digits += char
            // No sign, no blank, no zero in front; and the limit is for the digits too.
            if (!/^(0|[1-9]\d*)$/.test(digits)) throw new FramingError(`no length: ${digits}`)
            if (Number(digits) > max) throw new FramingError(`${digits} bytes or more`)
          }
        } else if (filled < message.length) {
          const copied = chunk.copy(message, filled, start)
          filled += copied
          start += copied
        } else {
          if (chunk[start++] !== COMMA) throw new FramingError('no comma behind a message')
          yield message
          message = undefined
          digits = ''
        }
      }
    },
    end() {
      if (digits !== '') throw new FramingError('the stream ends in a message')
    },
  }
}
// #endregion decoder

const encode = (text: string): string => `${Buffer.byteLength(text)}:${text},`

const stream = Buffer.from(['hello', '', '中文', '3:abc,'].map(encode).join(''))
const due = replay([stream])
console.log(`${stream}\n  ${due}`)
let same = 0
for (let cut = 1; cut < stream.length; cut++) {
  if (replay([stream.subarray(0, cut), stream.subarray(cut)]) === due) same += 1
}
console.log(`  the same in ${same} of ${stream.length - 1} cuts`)

for (const wrong of ['5:hello;', '05:hello,', '-1:', ':', '99999999999', '5:hel']) {
  console.log(`${wrong}\n  ${replay([Buffer.from(wrong)])}`)
}

function replay(reads: Buffer[]): string {
  const decoder = netstringDecoder(1000)
  const messages: string[] = []
  try {
    for (const read of reads) {
      for (const message of decoder.push(read)) {
        messages.push(JSON.stringify(message.toString()))
      }
    }
    decoder.end()
  } catch (error) {
    if (!(error instanceof FramingError)) throw error
    messages.push(error.message)
  }
  return messages.join(' ')
}
