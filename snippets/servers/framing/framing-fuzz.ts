// Cuts streams in all ways there are, gives the pieces to a decoder, and expects the same
// messages each time.
// usage: node framing-fuzz.ts [SEED]

const [NEWLINE, RETURN] = [0x0a, 0x0d]

/** The other side does not keep to the framing. */
class FramingError extends Error {}

const [seed = '1'] = process.argv.slice(2)
if (!/^\d{1,9}$/.test(seed)) {
  console.error('usage: node framing-fuzz.ts [SEED]')
  process.exit(2)
}
console.log(`seed ${seed}`)
const random = randomNumbers(Number(seed))

// #region streams
const lines = (): Decoder => lineDecoder(20)
const lengths = (): Decoder => lengthDecoder(20)
const frames = (...texts: string[]): Buffer =>
  Buffer.concat(texts.map((text) => encodeLength(Buffer.from(text))))

// Short enough for every split there is.
everySplit('lines', lines, Buffer.from('a\r\n\nbc\r\n中\n'))
everySplit('lengths', lengths, frames('a', '', 'b'))

// Longer: each cut, each pair of cuts, single bytes, and cuts at random.
manySplits('lines', lines, Buffer.from('hello\r\n\nhow are you\n中文🚀\r\na\rb\r\r\nbye\n'))
manySplits('lengths', lengths, frames('hello', '', 'how are you', '中文🚀', '\0\n\0\x05'))

// What comes before a mistake is always given, and nothing after it.
manySplits('lines', lines, Buffer.from('first\r\na line that is too long\nlast\n'))
manySplits('lines', lines, Buffer.from('first\n\nlas'))
const rude = Buffer.alloc(4, 0xff)
manySplits('lengths', lengths, Buffer.concat([frames('first'), rude, frames('last')]))
manySplits('lengths', lengths, frames('first', 'last').subarray(0, -1))
// #endregion streams

// #region every-split
function everySplit(name: string, make: () => Decoder, stream: Buffer): void {
  const places = range(1, stream.length - 1) // where a cut can be
  const splits: number[][] = []
  for (let bits = 0; bits < 2 ** places.length; bits++) {
    splits.push(places.filter((_, index) => ((bits >> index) & 1) === 1))
  }
  compare(name, make, stream, splits)
}
// #endregion every-split

// #region many-splits
function manySplits(name: string, make: () => Decoder, stream: Buffer): void {
  const places = range(1, stream.length - 1)
  compare(name, make, stream, [
    ...places.map((one) => [one]),
    ...places.flatMap((one) => places.filter((two) => two > one).map((two) => [one, two])),
    places,
    ...range(1, 500).map(() => places.filter(() => random() < 0.2)),
  ])
}
// #endregion many-splits

// #region compare
function compare(name: string, make: () => Decoder, stream: Buffer, splits: number[][]): void {
  const due = replay(make(), [stream])
  for (const cuts of splits) {
    const reads = [0, ...cuts].map((start, index) => stream.subarray(start, cuts[index]))
    const given = replay(make(), reads)
    if (given === due) continue
    console.error(`${name}: ${given} where ${due} was due`)
    console.error(reads.map((read) => JSON.stringify(read.toString('latin1'))).join(' | '))
    process.exit(1)
  }
  console.log(`${name}, ${stream.length} bytes: ${due}`)
  console.log(`  the same in ${splits.length} splits`)
}

/** What a decoder makes of a stream that is read in these pieces. */
function replay(decoder: Decoder, reads: Buffer[]): string {
  const messages: Buffer[] = []
  const chunk = Buffer.alloc(64) // one for all reads, as in a server
  try {
    for (const read of reads) {
      const bytes = chunk.subarray(0, read.copy(chunk))
      for (const message of decoder.push(bytes)) messages.push(message)
      chunk.fill('?') // what a decoder has not copied is gone now
    }
    decoder.end()
    return texts(messages)
  } catch (error) {
    if (!(error instanceof FramingError)) throw error
    return `${texts(messages)}, then: ${error.message}`
  }
}
// #endregion compare

function texts(messages: Buffer[]): string {
  return messages.map((message) => JSON.stringify(message.toString())).join(' ')
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32, by Tommy Ettinger. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Decoder {
  /** Takes the bytes of one read, and gives each message that is whole by now. */
  push(chunk: Buffer): Generator<Buffer>
  /** Takes the end of the stream, which may come between two messages only. */
  end(): void
}

function lineDecoder(max: number): Decoder {
  let held = Buffer.alloc(64) // the beginning of a line ...
  let used = 0 // ... as far as it has come

  function hold(bytes: Buffer): void {
    const length = used + bytes.length
    if (length >= max) throw new FramingError(`no end of line in ${max} bytes`)
    if (length > held.length) held = Buffer.concat([held], 2 * length)
    bytes.copy(held, used)
    used = length
  }

  return {
    *push(chunk) {
      let start = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start)
        hold(chunk.subarray(start, end === -1 ? chunk.length : end))
        if (end === -1) return // the rest of this line comes with another read
        const length = held[used - 1] === RETURN ? used - 1 : used
        used = 0
        start = end + 1
        yield Buffer.from(held.subarray(0, length)) // a copy: the receiver may keep it
      }
    },
    end() {
      if (used > 0) throw new FramingError(`the stream ends ${used} bytes into a message`)
    },
  }
}

function lengthDecoder(max: number): Decoder {
  const prefix = Buffer.alloc(4)
  let target = prefix // what is being filled: the prefix, then the message
  let filled = 0

  return {
    *push(chunk) {
      let start = 0
      for (;;) {
        const copied = chunk.copy(target, filled, start)
        start += copied
        filled += copied
        if (filled < target.length) return // the rest of it comes with another read
        filled = 0
        if (target === prefix) {
          const length = prefix.readUInt32BE()
          if (length > max) throw new FramingError(`${length} bytes, the limit is ${max}`)
          target = Buffer.alloc(length)
        } else {
          const message = target
          target = prefix
          yield message
        }
      }
    },
    end() {
      const begun = target === prefix ? filled : prefix.length + filled
      if (begun > 0) throw new FramingError(`the stream ends ${begun} bytes into a message`)
    },
  }
}

function encodeLength(message: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(message.length)
  return Buffer.concat([prefix, message])
}
