import { describe, expect } from 'vitest'
import { untilStopped } from '../support/blocked.ts'
import { recordings, testsOf } from '../support/recordings.ts'
import type { Program } from '../support/program.ts'
import type { Listener, Stage } from '../support/stage.ts'
import { scenarios } from './clients.scenarios.ts'

const slug = 'servers/clients'
const test = testsOf(slug)

recordings(slug, scenarios)

interface Client {
  file: string
  /** What it prints before the first reply, without what it says of the server. */
  greeting: string[]
  /** The errors it prints: the connection was reset while it waited, and while it sent. */
  reset: RegExp
}

const clients: Client[] = [
  {
    file: 'reversing-client.ts',
    greeting: ['socket ok'],
    reset: /^(recv|send) (ECONNRESET: connection reset by peer|EPIPE: broken pipe)$/,
  },
  { file: 'reversing-client-node.ts', greeting: [], reset: /^(read ECONNRESET|write (ECONNRESET|EPIPE))$/ },
]

/** A client, connected to a server that the test drives. */
async function connected(stage: Stage, { file, greeting }: Client, ...args: string[]) {
  const server = await stage.listen('server')
  const client = stage.start('client', file, ...hostAndPort(server), ...args)
  const peer = await server.accept()
  expect(await client.lines(greeting.length)).toEqual(greeting)
  expect(await client.line()).toBe(`connected to 127.0.0.1:${server.address.port}`)
  return { client, peer }
}

function hostAndPort({ address }: Pick<Listener, 'address'>): [string, number] {
  return [address.host, address.port]
}

/** The program prints one line on standard error, nothing more on standard output, and ends with that status. */
async function fails(program: Program, status: number, message: string | RegExp): Promise<void> {
  expect(await program.errorLine()).toMatch(message)
  expect(await program.ended).toEqual({ status, signal: null })
  expect(program.unawaited()).toEqual([])
}

describe.each(clients)('$file', (promises) => {
  test('puts a reply together from single bytes, whatever bytes they are', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    peer.socket.setNoDelay(true)
    client.stdin.write(Buffer.from([0, 0xff, 0x0d, 0x80, 0x0a]))
    await peer.receive(Buffer.from([0, 0xff, 0x0d, 0x80, 0x0a]))
    for (const byte of 'a\0bc') await peer.send(byte)
    expect(await client.line()).toBe('received: a\0bc')
  })

  test('sends a megabyte in one line, and receives as much', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    const text = 'abcdefghij'.repeat(100_000)
    client.stdin.write(`${text}\n`)
    await peer.receive(`${text}\n`)
    await peer.send(text)
    expect(await client.line()).toBe(`received: ${text}`)
  })

  test('keeps a thousand lines and their replies apart', async ({ stage }) => {
    const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
    const lines = Array.from({ length: 1000 }, (_, index) => `${'x'.repeat(index % 7)}${index}`)
    const client = stage.start('client', promises.file, ...hostAndPort(server))
    client.stdin.end(`${lines.join('\n\n')}\n`)
    await client.lines(promises.greeting.length + 1)
    const due = lines.map((line) => `received: ${[...line].reverse().join('')}`)
    expect(await client.lines(due.length)).toEqual(due)
    expect(await client.ended).toEqual({ status: 0, signal: null })
  })

  test('sends a last line that lacks its newline with one', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    client.stdin.end('a last lin')
    await peer.receive('a last lin\n')
    await peer.send('nil tsal a')
    expect(await client.line()).toBe('received: nil tsal a')
    await peer.receiveEnd()
    await peer.halfClose()
    expect(await client.ended).toEqual({ status: 0, signal: null })
  })

  test('closes in order when there is nothing to send', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    client.stdin.end()
    await peer.receiveEnd()
    await peer.halfClose()
    expect(await client.ended).toEqual({ status: 0, signal: null })
  })

  test('waits for a server that never answers, until it is told to stop', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    client.stdin.end('hello\n')
    await peer.receive('hello\n')
    client.kill('SIGTERM')
    expect(await client.ended).toEqual({ status: null, signal: 'SIGTERM' })
  })

  test('says that the server has closed in the middle of a reply', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    client.stdin.write('hello\n')
    await peer.receive('hello\n')
    await peer.send('olle')
    await peer.halfClose()
    await fails(client, 1, /^closed by the server after 4 of 5 bytes$/)
  })

  test('says that the server has reset in the middle of a reply', async ({ stage }) => {
    const { client, peer } = await connected(stage, promises)
    client.stdin.write('hello\n')
    await peer.receive('hello\n')
    await peer.send('olle')
    await peer.reset()
    await fails(client, 1, promises.reset)
  })

  test('says that the server took no more of a line', async ({ stage }) => {
    const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
    const client = stage.start('client', promises.file, ...hostAndPort(server))
    await client.lines(promises.greeting.length + 1)
    client.stdin.end(`${'x'.repeat(1_000_000)}\n`)
    await fails(client, 1, promises.reset)
  })

  test('says that nobody listens', async ({ stage }) => {
    const client = stage.start('client', promises.file, '127.0.0.1', 1)
    expect(await client.lines(promises.greeting.length)).toEqual(promises.greeting)
    await fails(client, 1, /^connect ECONNREFUSED(: connection refused)? 127\.0\.0\.1:1$/)
  })
})

test('the client on node:net hears at once that the server has closed', async ({ stage }) => {
  const { client, peer } = await connected(stage, clients[1]!)
  await peer.halfClose()
  await fails(client, 1, /^closed by the server$/)
})

describe('the command line', () => {
  const programs: [file: string, usage: string, wrong: string[]][] = [
    ['reversing-client.ts', 'ADDRESS PORT', ['', '127.0.0.1 0', '127.0.0.1 65536', '127.0.0.1 80x', 'localhost 80']],
    ['reversing-client-node.ts', 'HOST PORT', ['', '127.0.0.1 65536']],
    ['timeouts.ts', 'ADDRESS PORT [MILLISECONDS]', ['127.0.0.1 80 0']],
    ['timeouts-node.ts', 'HOST PORT [MILLISECONDS]', ['127.0.0.1 80 -1']],
    ['send-timeout.ts', 'ADDRESS PORT [MILLISECONDS]', ['127.0.0.1 80 1e3']],
    ['exercise-half-close.ts', 'ADDRESS PORT', ['localhost 80']],
    ['exercise-deadline.ts', 'ADDRESS PORT [MILLISECONDS]', ['127.0.0.1 80 1.5']],
    ['exercise-port-check.ts', 'ADDRESS PORT ...', ['127.0.0.1 80 0']],
    ['never-accepts.ts', 'PORT [HOST]', ['65536']],
    ['dripping-server.ts', 'PORT [HOST]', ['65536']],
    ['poll-timeouts.ts', 'ADDRESS PORT [MILLISECONDS]', ['127.0.0.1 80 0']],
    ['interrupted.ts', 'ADDRESS PORT', ['localhost 80']],
    ['abort.ts', 'HOST PORT [MILLISECONDS]', ['127.0.0.1 80 0']],
    ['two-addresses.ts', 'PORT', ['65536']],
    ['happy-eyeballs.ts', 'PORT ADDRESS ...', ['80 localhost']],
    ['retry.ts', 'HOST PORT [once]', ['127.0.0.1 80 twice']],
    ['exercise-happy-eyeballs.ts', 'PORT ADDRESS ...', ['0 127.0.0.1']],
  ]

  test('that is wrong is answered with how the program is used', async ({ stage }) => {
    const runs = programs.flatMap(([file, usage, wrong]) =>
      wrong.map(async (args) => {
        const message = new RegExp(`^${RegExp.escape(`usage: node ${file} ${usage}`)}`)
        await fails(stage.start('program', file, ...args.split(' ').filter(Boolean)), 2, message)
      }),
    )
    await Promise.all(runs)
  })
})

describe('limits', () => {
  /** The milliseconds that a line tells. */
  function milliseconds(line: string): number {
    return Number(/ after (\d+) ms/.exec(line)?.[1])
  }

  /** The next line on standard error, of a program that ends with it. */
  async function lastWords(program: Program): Promise<string> {
    const line = await program.errorLine()
    expect(await program.ended).toEqual({ status: 1, signal: null })
    return line
  }

  /**
   * Milliseconds by which SO_RCVTIMEO and SO_SNDTIMEO may be over early: the kernel counts ticks, from the last one that it has counted,
   * and that was some ticks ago where a virtual machine has lost its processor for a moment.
   */
  const TICKS = 50

  /** It waited as long as it was told to, and did not wait for long after that. */
  function expectLimit(line: string, limit: number, early = 1): void {
    expect(milliseconds(line)).toBeGreaterThanOrEqual(limit - early)
    expect(milliseconds(line)).toBeLessThan(limit + 2000)
  }

  // All of them wait for silent servers, so they wait at the same time.
  test('are kept, and not by much too long', async ({ stage }) => {
    const connected = async (file: string, first: string[], early?: number): Promise<void> => {
      const server = await stage.serve('server', 'never-accepts.ts', 0)
      const client = stage.start('client 1', file, ...hostAndPort(server), 1000)
      for (const line of await client.lines(first.length)) expect(milliseconds(line), line).toBeLessThan(1000)
      expectLimit(await lastWords(client), 1000, early)
      const second = stage.start('client 2', file, ...hostAndPort(server), 130)
      expectLimit(await lastWords(second), 130, early)
    }

    const sending = async (): Promise<void> => {
      const server = await stage.serve('server', 'never-accepts.ts', 0)
      const client = stage.start('client', 'send-timeout.ts', ...hostAndPort(server), 110)
      expectLimit(await client.line(), 110, TICKS)
      expectLimit(await lastWords(client), 110, TICKS)
    }

    const dripping = async (): Promise<void> => {
      const server = await stage.serve('server', 'dripping-server.ts', 0)
      const patient = stage.start('client 1', 'timeouts-node.ts', ...hostAndPort(server), 1000)
      const polling = stage.start('client 2', 'poll-timeouts.ts', ...hostAndPort(server), 1000)
      const hasty = stage.start('client 3', 'exercise-deadline.ts', ...hostAndPort(server), 140)
      expectLimit(await lastWords(hasty), 140)
      const [, received] = await patient.lines(2)
      expect(received).toMatch(/^received: pord yb pord after /)
      expect(milliseconds(received!)).toBeGreaterThan(1000)
      expect(await polling.line()).toBe('received: pord yb pord')
    }

    const inTime = async (): Promise<void> => {
      const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
      const client = stage.start('client', 'exercise-deadline.ts', ...hostAndPort(server), 5000)
      expect(await client.line()).toBe('received: pord yb pord')
    }

    await Promise.all([
      connected('timeouts.ts', ['connect', 'send'], TICKS),
      connected('timeouts-node.ts', ['connect']),
      connected('poll-timeouts.ts', []),
      sending(),
      dripping(),
      inTime(),
    ])
  })
})

describe('poll-timeouts.ts', () => {
  test('puts a reply together from single bytes', async ({ stage }) => {
    const server = await stage.listen('server')
    const client = stage.start('client', 'poll-timeouts.ts', ...hostAndPort(server), 10_000)
    const peer = await server.accept()
    peer.socket.setNoDelay(true)
    await peer.receive('drop by drop\n')
    for (const byte of 'pord yb pord') await peer.send(byte)
    expect(await client.line()).toBe('received: pord yb pord')
  })

  test('tells the other ends of an exchange', async ({ stage }) => {
    const refused = stage.start('client 1', 'poll-timeouts.ts', '127.0.0.1', 1)
    await fails(refused, 1, /^connect ECONNREFUSED: connection refused 127\.0\.0\.1:1 after /)
    const server = await stage.listen('server')
    const closed = stage.start('client 2', 'poll-timeouts.ts', ...hostAndPort(server), 10_000)
    const first = await server.accept()
    await first.receive('drop by drop\n')
    await first.send('pord')
    await first.halfClose()
    await fails(closed, 1, /^closed by the server at 4 of 12 bytes after /)
    const broken = stage.start('client 3', 'poll-timeouts.ts', ...hostAndPort(server), 10_000)
    const second = await server.accept()
    await second.receive('drop by drop\n')
    await second.reset()
    await fails(broken, 1, /^recv ECONNRESET: connection reset by peer after /)
  })
})

test('Ctrl+Z and fg interrupt what has a limit, and poll is not among it', async ({ stage }) => {
  const server = await stage.listen('server')
  const client = stage.start('client', 'interrupted.ts', ...hostAndPort(server))
  const peer = await server.accept()
  const stopAndContinue = async (): Promise<void> => {
    client.kill('SIGSTOP')
    await untilStopped(client.pid, client.lane)
    client.kill('SIGCONT')
  }
  for (const call of ['recv', 'poll'] as const) {
    await client.waitsIn(call)
    await stopAndContinue()
    await client.waitsIn(call)
    await peer.send('x')
    expect(await client.line()).toBe(`${call}: 1`)
    if (call === 'poll') break
    await client.waitsIn('recv')
    await stopAndContinue()
    expect(await client.line()).toBe('recv with a limit: EINTR')
  }
  await client.waitsIn('connect')
  await stopAndContinue()
  expect(await client.line()).toBe('connect with a limit: EINTR')
})

describe('several addresses', () => {
  /** The addresses of the client's attempts, as `silent`, `answers` or `refuses`. */
  const names = { silent: '127.0.0.2', answers: '127.0.0.1', refuses: '127.0.0.3' }

  test('the silent one costs its 250 ms, in Node and in the race', async ({ stage }) => {
    const host = await stage.serve('host', 'two-addresses.ts', 0)
    const port = host.address.port
    const node = stage.start('client 1', 'happy-eyeballs.ts', port, names.silent, names.answers)
    const race = stage.start('client 2', 'exercise-happy-eyeballs.ts', port, names.silent, names.answers)
    const [, givenUp, , connected] = await node.lines(4)
    const won = (await race.lines(3)).at(-1)!
    for (const line of [givenUp!, connected!, won]) {
      expect(Number(/ after (\d+) ms$/.exec(line)?.[1]), line).toBeGreaterThanOrEqual(249)
    }
    expect(won).toMatch(/^connected to 127\.0\.0\.1:\d+ after /)
    expect(await race.ended).toEqual({ status: 0, signal: null })
  })

  test('one that refuses costs nothing, and when all refuse, each says so', async ({ stage }) => {
    const host = await stage.serve('host', 'two-addresses.ts', 0)
    const { port } = host.address
    const quick = stage.start('client 1', 'exercise-happy-eyeballs.ts', port, names.refuses, names.answers)
    expect((await quick.lines(4)).at(-1)).toMatch(/^connected to 127\.0\.0\.1:\d+ after /)
    const none = stage.start('client 2', 'exercise-happy-eyeballs.ts', 1, names.silent, names.refuses)
    expect((await none.lines(5)).at(-1)).toBe('no connection')
    expect(await none.ended).toEqual({ status: 1, signal: null })
    const node = stage.start('client 3', 'happy-eyeballs.ts', 1, names.silent, names.refuses)
    expect(await node.errorLine()).toBe('AggregateError, message ""')
    expect(await node.errorLine()).toBe('connect ECONNREFUSED 127.0.0.2:1')
    expect(await node.errorLine()).toBe('connect ECONNREFUSED 127.0.0.3:1')
    const single = stage.start('client 4', 'happy-eyeballs.ts', 1, names.silent)
    expect(await single.errorLine()).toBe('Error, message "connect ECONNREFUSED 127.0.0.2:1"')
  })
})

test('a request that nobody has lost is made once', async ({ stage }) => {
  const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
  const client = stage.start('client', 'retry.ts', ...hostAndPort(server), 'once')
  expect(await client.line()).toBe('received: olleh')
  expect(await client.ended).toEqual({ status: 0, signal: null })
  const refused = stage.start('client', 'retry.ts', '127.0.0.1', 1, 'once') // nothing was sent: it may try again
  await refused.lines(11)
  expect(await refused.errorLine()).toBe('gave up')
})

test('an exchange that nothing aborts ends as any other', async ({ stage }) => {
  const server = await stage.listen('server')
  const answered = stage.start('client 1', 'abort.ts', ...hostAndPort(server), 10_000)
  const peer = await server.accept()
  await peer.receive('drop by drop\n')
  await peer.send('pord yb pord')
  expect(await answered.lines(2)).toEqual(['connected', 'received: pord yb pord'])
  expect(await answered.ended).toEqual({ status: 0, signal: null })
  await fails(
    stage.start('client 2', 'abort.ts', '127.0.0.1', 1),
    1,
    /^Error: connect ECONNREFUSED 127\.0\.0\.1:1 after /,
  )
})

test('the server of a client that closes with a part unread is reset', async ({ stage }) => {
  const server = await stage.listen('server')
  const client = stage.start('client', 'one-recv.broken.ts', ...hostAndPort(server), 'hello')
  const peer = await server.accept()
  await peer.receive('hello\n')
  await peer.send('x'.repeat(2000)) // its buffer has 1,024 bytes
  await client.line()
  await peer.receiveReset()
})
