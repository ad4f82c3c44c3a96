import { conformance } from '../support/conformance.ts'

const slug = 'servers/framing'

/** A text in upper case; the line is without the carriage return that may end it. */
function upper(message: Buffer): Buffer {
  return Buffer.from(message.toString().toUpperCase())
}

function nothing(): Buffer {
  return Buffer.alloc(0)
}

const lines = {
  slug,
  reply: (line: Buffer) => Buffer.concat([upper(line.at(-1) === 0x0d ? line.subarray(0, -1) : line), Buffer.from('\r\n')]),
  replyToRest: nothing,
  lineMax: 65_536,
}

const lengths = {
  slug,
  reply: (line: Buffer) => frame(upper(line)),
  replyToRest: nothing,
  encode(text: Buffer): Buffer {
    const pieces = text.toString('latin1').split('\n').map((line) => Buffer.from(line, 'latin1'))
    const rest = pieces.pop()!
    const begun = rest.length === 0 ? rest : frame(Buffer.concat([rest, Buffer.from('?')])).subarray(0, -1)
    return Buffer.concat([...pieces.map(frame), begun])
  },
  lineMax: 65_537,
}

function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(message.length)
  return Buffer.concat([prefix, message])
}

conformance({ ...lines, file: 'line-server.ts', model: 'iterative', stop: 'default' })
conformance({ ...lengths, file: 'length-server.ts', model: 'iterative', stop: 'default' })
conformance({ ...lines, file: 'decode-transform-node.ts', model: 'concurrent', stop: 'orderly' })
conformance({ ...lengths, file: 'decode-iterator-node.ts', model: 'concurrent', stop: 'orderly' })
