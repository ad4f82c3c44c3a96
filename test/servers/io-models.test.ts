import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test as plain } from 'vitest'
import { readModel } from '../../.vitepress/models.ts'
import { placeOrSkip } from '../support/namespace.ts'
import type { Peer } from '../support/peer.ts'
import type { Program } from '../support/program.ts'
import { programsOf, recordings, root, testsOf } from '../support/recordings.ts'
import { type Stage, createStage } from '../support/stage.ts'
import { recordedTable } from '../support/tables.ts'
import { scenarios } from './io-models.scenarios.ts'

const slug = 'servers/io-models'
const test = testsOf(slug)
const page = readFileSync(join(root, 'docs', `${slug}.md`), 'utf8')
const mayUring = placeOrSkip('with io_uring') !== undefined

recordings(slug, scenarios)

const five = ['blocking', 'non-blocking', 'multiplexed', 'signal-driven', 'asynchronous'] as const
const drawn = [...five, 'kernel-aio', 'exercise-epoll', 'exercise-dontwait']

function recording(name: string): string {
  return readFileSync(join(programsOf(slug), `${name}.out`), 'utf8')
}

describe('the pictures', () => {
  plain.each(drawn)('every line of %s.out belongs in one', (name) => {
    const { lanes, steps } = readModel(recording(name), `${name}.out`)
    expect(lanes.map(({ id }) => id)).toEqual(['program', 'kernel', 'peer'])
    const labels = steps.map((step) => ('phase' in step ? '' : step.label))
    expect(labels.filter((label) => label === 'copy of 6 bytes')).toHaveLength(1)
    expect(labels).toContain('hello\\n')
    expect(labels.indexOf('copy of 6 bytes')).toBeGreaterThan(labels.indexOf('hello\\n'))
  })

  plain('are on the page, each with the output that it is drawn from', () => {
    for (const name of [...five, 'kernel-aio']) {
      for (const kind of ['model', 'transcript']) expect(page).toContain(`/${slug}/${name}.out{${kind}}`)
    }
  })

  plain.each(drawn)('an unknown line anywhere in %s.out is an error', (name) => {
    const lines = recording(name).trimEnd().split('\n')
    for (const i of lines.keys()) {
      const changed = lines.toSpliced(i, 1, 'program │ something else').join('\n')
      expect(() => readModel(changed, 'x.out')).toThrow(
        `x.out:${i + 1}: "program │ something else" is no line of a model`,
      )
    }
  })

  plain.each([
    ['without the peer, a result that nothing explains', /^(program │ recv = ).*/m, '$17', '6 bytes'],
    ['a call that has not begun', /^program │ recv\(.*\nprogram ─.*\n/m, '', 'recv returns and has not begun'],
    ['a call that does not return', /^program │ recv = 6\n/m, '', 'recv has not returned yet'],
    ['a wait in another call', /waits in recv/, 'waits in poll', 'the program does not wait in poll: it is in recv'],
    ['a buffer that stays empty', /^(program │ buffer: )"hello.*/m, '$1""', 'nothing was copied into the buffer'],
    ['a buffer that holds something else', /"hello\\n"/, '"hello"', '6 bytes were due in the buffer'],
    ['a lane of nobody', /^peer {4}▶/m, 'client ▶', 'is no line of a model'],
    ['an end in failure', /exit status 0/, 'exit status 1', 'is no line of a model'],
  ])('%s is an error', (_, pattern, replacement, message) => {
    const text = recording('blocking')
    expect(text).toMatch(pattern)
    const due = message === '6 bytes' ? '7 bytes were due in the buffer' : message
    expect(() => readModel(text.replace(pattern, replacement), 'blocking.out')).toThrow(due)
  })

  plain('a copy that two calls may have made is an error', () => {
    const text = recording('multiplexed').replaceAll(/^program │ buffer: ""\n(?=program │ recv)/gm, '')
    expect(() => readModel(text, 'x.out')).toThrow('more than one call since the last look')
  })

  plain('a copy without a call and without a completion is an error', () => {
    const text = recording('asynchronous').replace(/^program │ completion.*\n/m, '')
    expect(() => readModel(text, 'x.out')).toThrow('nothing says why')
  })

  plain('agree with the table of the page', () => {
    const rows = [...page.matchAll(/^\| \[([\w-]+)\]\(#[\w-]+\) \| (.*?) \| (.*?) \|$/gm)]
    const codes = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code!)
    expect(rows.map(([, name]) => name)).toEqual(five)
    for (const [, name, waits, copies] of rows) {
      const { waitsIn, copiedIn } = readModel(recording(name!), `${name}.out`)
      expect({ name, waits: codes(waits!) }).toEqual({ name, waits: waitsIn })
      expect({ name, copies: codes(copies!) }).toEqual({ name, copies: copiedIn === undefined ? [] : [copiedIn] })
    }
    // The first four are synchronous, the fifth is not.
    expect(five.filter((name) => readModel(recording(name), name).copiedIn === undefined)).toEqual(['asynchronous'])
  })
})

/** The programs that read once, and how they print what the read returned. */
const readers = [
  { file: 'blocking.ts', result: 'recv = ' },
  { file: 'non-blocking.ts', result: 'recv(conn, buffer, 64) = ' },
  { file: 'multiplexed.ts', result: 'recv(conn, buffer, 64) = ' },
  { file: 'signal-driven.ts', result: 'recv(conn, buffer, 64) = ' },
  { file: 'asynchronous.ts', result: 'completion: ' },
  { file: 'kernel-aio.ts', result: 'completion: ' },
  { file: 'exercise-epoll.ts', result: 'recv(conn, buffer, 64) = ' },
]

/** A program whose client has acted before the program has made its connection its own: it is stopped meanwhile. */
async function actedBefore(stage: Stage, file: string, act: (peer: Peer) => Promise<void>): Promise<Program> {
  const program = await stage.serve('program', file, 0)
  program.kill('SIGSTOP')
  const peer = await stage.connect('peer', program)
  await act(peer)
  program.kill('SIGCONT')
  return program
}

describe.each(readers)('$file', ({ file, result }) => {
  const own = file === 'asynchronous.ts' ? test.skipIf(!mayUring) : test

  own('reads what is there before it asks, and no more than its buffer holds', async ({ stage }) => {
    const program = await actedBefore(stage, file, (peer) => peer.send('0123456789'.repeat(100)))
    expect(await program.ended).toEqual({ status: 0, signal: null })
    const lines = program.unawaited()
    expect(lines).toContain(`${result}64`)
    expect(lines.filter((line) => line.includes('EAGAIN') || line.startsWith('works'))).toEqual([])
    expect(lines.findLast((line) => line.startsWith('buffer'))).toContain('0123456789'.repeat(6))
  })

  own('is told of the end, and of a reset', async ({ stage }) => {
    const ended = await actedBefore(stage, file, (peer) => peer.halfClose())
    const reset = await actedBefore(stage, file, (peer) => peer.reset())
    expect(await ended.ended).toEqual({ status: 0, signal: null })
    expect(ended.unawaited()).toContain(`${result}0`)
    expect(await reset.ended).toEqual({ status: 1, signal: null })
    expect(reset.unawaited().at(-1)).toMatch(/^(recv|pread) ECONNRESET: connection reset by peer$/)
  })
})

test('signal-driven.ts: the end and a reset raise SIGIO as well', async ({ stage }) => {
  const acts: [act: (peer: Peer) => Promise<void>, last: string][] = [
    [(peer) => peer.halfClose(), 'buffer: ""'],
    [(peer) => peer.reset(), 'recv ECONNRESET: connection reset by peer'],
  ]
  for (const [act, last] of acts) {
    const program = await stage.serve('program', 'signal-driven.ts', 0)
    const peer = await stage.connect('peer', program)
    while ((await program.line()) !== 'works');
    await act(peer)
    await program.ended
    const lines = program.unawaited()
    expect([lines[0], lines.at(-1)]).toEqual(['SIGIO', last])
  }
})

describe('exercise-read-all.ts', () => {
  const file = 'exercise-read-all.ts'

  /** The program, told how long to wait, and its client. */
  async function reading(stage: Stage, milliseconds: number) {
    const program = await stage.serve('program', file, 0, '127.0.0.1', milliseconds)
    return { program, peer: await stage.connect('peer', program) }
  }

  /** What it says when it gives up. */
  async function lastWords(program: Program): Promise<string> {
    const line = await program.errorLine()
    expect(await program.ended).toEqual({ status: 1, signal: null })
    return line
  }

  test('puts a line together, a byte at a time', async ({ stage }) => {
    const { program, peer } = await reading(stage, 10_000)
    peer.socket.setNoDelay(true)
    for (const byte of 'hello\n') await peer.send(byte)
    expect(await program.line()).toBe('a line: "hello\\n"')
  })

  test('ends when the peer has ended, when a line is too long, and when the time is up', async ({ stage }) => {
    const ended = await reading(stage, 10_000)
    await ended.peer.send('hel')
    await ended.peer.halfClose()
    const long = await reading(stage, 10_000)
    await long.peer.send('x'.repeat(65_536))
    const silent = await reading(stage, 100)
    await silent.peer.send('hel')
    expect(await lastWords(ended.program)).toBe('the peer has sent its last, after 3 bytes')
    expect(await lastWords(long.program)).toBe('no end of line in 65536 bytes')
    expect(await lastWords(silent.program)).toBe('no line within 100 ms')
  })
})

describe('where the kernel refuses io_uring', () => {
  const IO_URING_SETUP = '425' // on all machines
  const wrapper = join(root, 'test', 'support', 'without-call.ts')

  plain.each(['EPERM', 'ENOSYS'])('asynchronous.ts says so, with a status of its own: %s', async (errno) => {
    const stage = createStage({
      folder: programsOf(slug),
      prefix: [process.execPath, wrapper, IO_URING_SETUP, errno],
    })
    try {
      const program = stage.start('program', 'asynchronous.ts', 0)
      const line = await program.errorLine()
      expect(line).toMatch(new RegExp(`^io_uring is not to be had here: io_uring_setup ${errno}: `))
      if (errno === 'EPERM') expect(page).toContain(`\n${line}\n`)
      expect(await program.ended).toEqual({ status: 3, signal: null })
      expect(program.unawaited()).toEqual([])
    } finally {
      await stage.close()
    }
  })
})

describe('what waiting costs', () => {
  interface Cost {
    calls: number
    waited: number
    busy: number
  }

  test('cost-of-waiting.json', async ({ stage }) => {
    const program = stage.start('program', 'cost-of-waiting.ts')
    const lines = await program.lines(4)
    const row = /^(.*): (\d+) calls, waited ([\d.]+) ms, busy ([\d.]+) ms$/
    const rows = lines.map((line) => {
      const [, way, calls, waited, busy] = row.exec(line)!
      return [way!, Number(calls), Number(waited), Number(busy)]
    })
    const title = 'Four ways to wait 200 ms for data that do not come'
    const columns = ['how', 'calls', 'waited, ms', 'busy, ms']
    await recordedTable(
      slug,
      'cost-of-waiting.json',
      { title, columns, rows },
      {
        varies: columns.slice(1),
        holds(rows) {
          const [blocking, multiplexed, now, busy] = rows.map((row): Cost => ({
            calls: Number(row['calls']),
            waited: Number(row['waited, ms']),
            busy: Number(row['busy, ms']),
          }))
          for (const { waited } of [blocking!, multiplexed!, now!, busy!]) expect(waited).toBeGreaterThan(199)
          expect([blocking!.calls, multiplexed!.calls]).toEqual([1, 2])
          expect(now!.calls).toBeLessThanOrEqual(22) // a timer may be early by less than a millisecond
          expect(busy!.calls).toBeGreaterThan(100) // hundreds of thousands, unless the machine stands still
          for (const waits of [blocking!, multiplexed!, now!]) expect(waits.busy).toBeLessThan(100)
        },
      },
    )
  })
})

describe('what the page says of this Node and io_uring', () => {
  test('libuv has one of its own', { skip: !mayUring }, async ({ stage }) => {
    const program = await stage.serve('program', 'node-net.ts', 0)
    const folder = `/proc/${program.pid}/fd`
    const targets = readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)))
    expect(targets).toContain('anon_inode:[io_uring]')
  })

  plain('with UV_USE_IO_URING=1 a file is read by a thread as before', async () => {
    const stage = createStage({ folder: programsOf(slug), prefix: ['env', 'UV_USE_IO_URING=1'] })
    try {
      const program = stage.start('program', 'node-fs.ts')
      expect(await program.lines(2)).toEqual(['fs.read has returned', 'in read(0): another thread'])
      program.endInput()
      await program.ended
    } finally {
      await stage.close()
    }
  })
})

describe('the command line', () => {
  const servers = [...readers.map(({ file }) => file), 'node-net.ts', 'exercise-dontwait.ts', 'exercise-read-all.ts']
  const broken = ['busy-loop.broken.ts', 'eagain-is-an-error.broken.ts', 'no-handler.broken.ts']

  test('that is wrong is answered with how the program is used', async ({ stage }) => {
    const wrong = ['', 'abc', '65536', '0x10']
    const runs = [...servers, ...broken].map(async (file, i) => {
      const program = stage.start('program', file, ...[wrong[i % wrong.length]!].filter(Boolean))
      expect(await program.errorLine()).toMatch(new RegExp(`^usage: node ${RegExp.escape(file)} PORT \\[HOST`))
      expect(await program.ended).toEqual({ status: 2, signal: null })
    })
    await Promise.all(runs)
  })

  test('that names a port which is taken is answered with the call and the reason', async ({ stage }) => {
    const taken = await stage.serve('taken', 'blocking.ts', 0)
    const runs = [servers[0]!, 'node-net.ts'].map(async (file) => {
      const program = stage.start('program', file, taken.address.port)
      expect(await program.errorLine()).toMatch(/^(bind|listen) EADDRINUSE: address already in use 127\.0\.0\.1:\d+$/)
      expect(await program.ended).toEqual({ status: 1, signal: null })
    })
    await Promise.all(runs)
  })
})
