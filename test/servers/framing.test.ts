import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { afterAll, describe, expect } from 'vitest'
import { conformance } from '../support/conformance.ts'
import type { Program } from '../support/program.ts'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { runToEnd } from '../support/spawn.ts'
import type { Stage } from '../support/stage.ts'
import { scenarios } from './framing.scenarios.ts'

const slug = 'servers/framing'
const test = testsOf(slug)

recordings(slug, scenarios)

function upper(message: Buffer): Buffer {
  return Buffer.from(message.toString().toUpperCase())
}

function frame(message: Buffer | string): Buffer {
  const bytes = Buffer.from(message)
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(bytes.length)
  return Buffer.concat([prefix, bytes])
}

/** What is not a whole message when the stream ends is not answered. */
const replyToRest = (): Buffer => Buffer.alloc(0)

const lines = {
  slug,
  clientsAtOnce: 50,
  reply(line: Buffer): Buffer {
    const message = line.at(-1) === 0x0d ? line.subarray(0, -1) : line
    return Buffer.concat([upper(message), Buffer.from('\r\n')])
  },
  replyToRest,
  lineMax: 65_536,
}

const lengths = {
  slug,
  clientsAtOnce: 50,
  reply: (message: Buffer): Buffer => frame(upper(message)),
  replyToRest,
  encode(text: Buffer): Buffer {
    const messages = text.toString('latin1').split('\n')
    const rest = messages.pop()!
    const begun = rest === '' ? [] : [frame(Buffer.from(`${rest}\n`, 'latin1')).subarray(0, -1)] // a byte is missing
    return Buffer.concat([...messages.map((message) => frame(Buffer.from(message, 'latin1'))), ...begun])
  },
  refusesUnread: true,
  lineMax: 65_537, // a message of 65,536 bytes; the suite counts a newline
}

conformance({ ...lines, file: 'line-server.ts', model: 'iterative', stop: 'default' })
conformance({
  ...lengths,
  file: 'length-server.ts',
  model: 'iterative',
  stop: 'default',
  opensLike: 'line-server.ts',
})
conformance({ ...lines, file: 'decode-transform-node.ts', model: 'concurrent', stop: 'orderly' })
conformance({ ...lengths, file: 'decode-iterator-node.ts', model: 'concurrent', stop: 'orderly' })

/** The text of a program of the page. */
function source(file: string): string {
  return readFileSync(join(programsOf(slug), file), 'utf8')
}

test('the server of lengths opens, loops and ends as that of lines', () => {
  const opening = /^const \[port.*?(?=^(?:\/\/ #region serve\n)?function serve)/ms
  const helpers = /^\/\/ send may.*/ms
  const parts = (file: string): (string | undefined)[] =>
    [opening, helpers].map((part) => part.exec(source(file))?.[0].replace(file, 'FILE'))
  const due = parts('line-server.ts')
  expect(due).toEqual([expect.stringContaining('listen('), expect.stringContaining('acceptNext')])
  expect(parts('length-server.ts')).toEqual(due)
})

describe('the decoder that the fuzz cuts streams for', () => {
  /** A function of a program, to the letter. */
  function functionOf(file: string, name: string): string {
    const text = new RegExp(`^function ${name}\\(.*?^\\}`, 'ms').exec(source(file))?.[0]
    if (text === undefined) throw new Error(`${file} has no function ${name}`)
    return text
  }

  const copies: [name: string, files: string[]][] = [
    ['lineDecoder', ['line-server.ts', 'line-client.ts', 'decode-transform-node.ts', 'exercise-message-limit-node.ts']],
    ['lengthDecoder', ['length-server.ts', 'decode-iterator-node.ts']],
  ]
  for (const [name, files] of copies) {
    test.for(files)(`${name} is the one of %s`, (file) => {
      expect(functionOf(file, name)).toBe(functionOf('framing-fuzz.ts', name))
    })
  }
})

describe('the fuzz', () => {
  const folder = mkdtempSync(join(tmpdir(), 'live-sockets-fuzz-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const mistakes: [what: string, right: string, wrong: string][] = [
    ['that looks for \\r in the read only', 'held[used - 1] === RETURN', 'chunk[end - 1] === RETURN'],
    [
      'that keeps a piece of the read',
      'bytes.copy(held, used)',
      'if (used === 0) held = bytes; else bytes.copy(held, used)',
    ],
    ['whose messages share memory', 'yield Buffer.from(held.subarray(0, length))', 'yield held.subarray(0, length)'],
    ['that takes a prefix from one read', 'if (filled < target.length) return', 'if (filled === 0) return'],
  ]
  test.for(mistakes)('finds a decoder %s', async ([, right, wrong], { expect }) => {
    const text = source('framing-fuzz.ts')
    expect(text).toContain(right)
    writeFileSync(join(folder, 'fuzz.ts'), text.replace(right, wrong))
    const { status, stderr, stdout } = await runToEnd(process.execPath, ['fuzz.ts'], { cwd: folder })
    expect({ status, stdout, stderr }).toMatchObject({ status: 1 })
  })

  test('finds nothing with another seed', async ({ stage }) => {
    await stage.run('fuzz', 'framing-fuzz.ts', Math.floor(Math.random() * 1e9))
  })
})

/** The program prints one line on standard error, nothing more on standard output, and ends with that status. */
async function fails(program: Program, status: number, message: string | RegExp): Promise<void> {
  expect(await program.errorLine()).toMatch(message)
  expect(await program.ended).toEqual({ status, signal: null })
  expect(program.unawaited()).toEqual([])
}

describe.each([
  {
    file: 'line-client.ts',
    encode: (text: string) => Buffer.from(`${text}\r\n`),
    tooLong: 'no end of line in 196608 bytes',
  },
  { file: 'length-client.ts', encode: frame, tooLong: '4294967295 bytes, the limit is 196608' },
])('$file', ({ file, encode, tooLong }) => {
  /** A client that has sent its messages to a server that the test drives. */
  async function connected(stage: Stage, ...messages: string[]) {
    const { address, accept } = await stage.listen('server')
    const client = stage.start('client', file, address.host, address.port, ...messages)
    const peer = await accept()
    peer.socket.setNoDelay(true)
    await peer.receive(Buffer.concat(messages.map(encode)))
    return { client, peer }
  }

  test('puts replies together from single bytes', async ({ stage }) => {
    const { client, peer } = await connected(stage, 'hello', '', '中文')
    for (const byte of Buffer.concat(['olleh', '', '文中'].map(encode))) await peer.send(Buffer.of(byte))
    expect(await client.lines(3)).toEqual(['"hello" -> "olleh"', '"" -> ""', '"中文" -> "文中"'])
    expect(await client.ended).toEqual({ status: 0, signal: null })
  })

  test('says that the server has closed, or has reset', async ({ stage }) => {
    const [early, rude] = await Promise.all([connected(stage, 'hello'), connected(stage, 'hello')])
    await early.peer.send(encode('hello').subarray(0, -1))
    await early.peer.halfClose()
    await fails(early.client, 1, /^(closed after 4 of 5 bytes|the stream ends 6 bytes into a message)$/)
    await rude.peer.reset()
    await fails(rude.client, 1, 'recv ECONNRESET: connection reset by peer')
  })

  test('takes no reply without a bound', async ({ stage }) => {
    const { client, peer } = await connected(stage, 'hello')
    peer.socket.write(Buffer.alloc(1_000_000, 0xff))
    await fails(client, 1, tooLong)
  })

  test('says how it is used', async ({ stage }) => {
    await fails(stage.start('client', file, 'localhost', 80), 2, `usage: node ${file} ADDRESS PORT MESSAGE ...`)
  })
})

test('a message with a newline is none for the client of lines, and one for that of lengths', async ({ stage }) => {
  await fails(stage.start('client', 'line-client.ts', '127.0.0.1', 1, 'two\nlines'), 1, 'a line holds no newline')
  const server = await stage.serve('server', 'length-server.ts', 0)
  const { host, port } = server.address
  const client = stage.start('client', 'length-client.ts', host, port, 'two\nlines')
  expect(await client.line()).toBe('"two\\nlines" -> "TWO\\nLINES"')
})

test('with its limit reached, the server reads on until the client ends its direction, and answers no more', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'exercise-message-limit-node.ts', 0)
  const client = await stage.connect('client', server)
  await client.send('one\ntwo\nthree\nfour\n')
  await client.receive('ONE\r\nTWO\r\nTHREE\r\n')
  await client.receiveEnd()
  for (let i = 0; i < 64; i++) await client.send(Buffer.alloc(65_536, 'x')) // no reset: each is taken
  await client.close()
  const other = await stage.connect('other', server)
  await other.send('hello\n')
  await other.halfClose()
  await other.receive('HELLO\r\n')
  await other.receiveEnd()
  expect(await server.lines(2)).toEqual(['3 messages: that is all', 'closed'])
  server.kill('SIGTERM')
  expect(await server.ended).toEqual({ status: 0, signal: null })
})

test('programs with arguments say how they are used', async ({ stage }) => {
  await fails(stage.start('fuzz', 'framing-fuzz.ts', 'abc'), 2, 'usage: node framing-fuzz.ts [SEED]')
  const server = stage.start('server', 'exercise-message-limit-node.ts', 65_536)
  await fails(server, 2, 'usage: node exercise-message-limit-node.ts PORT [HOST]')
})

test('readline ends a line at U+2028 and U+2029 as well', async () => {
  const seen: string[] = []
  for await (const line of createInterface({ input: Readable.from(['a\u2028b\u2029c\n']) })) seen.push(line)
  expect(seen).toEqual(['a', 'b', 'c'])
})
