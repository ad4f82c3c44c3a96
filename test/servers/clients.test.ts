import { describe, expect } from 'vitest'
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

  /** It waited as long as it was told to, and did not wait for long after that. */
  function expectLimit(line: string, limit: number): void {
    expect(milliseconds(line)).toBeGreaterThanOrEqual(limit - 1)
    expect(milliseconds(line)).toBeLessThan(limit + 2000)
  }

  test('of recv and connect, on system calls', async ({ stage }) => {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    const first = stage.start('client 1', 'timeouts.ts', ...hostAndPort(server), 500)
    for (const line of await first.lines(2)) expect(milliseconds(line)).toBeLessThan(500)
    expectLimit(await lastWords(first), 500)
    const second = stage.start('client 2', 'timeouts.ts', ...hostAndPort(server), 130)
    expectLimit(await lastWords(second), 130)
  })

  test('of send', async ({ stage }) => {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    const client = stage.start('client', 'send-timeout.ts', ...hostAndPort(server), 110)
    expectLimit(await client.line(), 110)
    expectLimit(await lastWords(client), 110)
  })

  test('of a connect and of silence, on node:net', async ({ stage }) => {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    const first = stage.start('client 1', 'timeouts-node.ts', ...hostAndPort(server), 500)
    await first.line()
    expectLimit(await lastWords(first), 500)
    const second = stage.start('client 2', 'timeouts-node.ts', ...hostAndPort(server), 130)
    expectLimit(await lastWords(second), 130)
  })

  test('of silence, which dripping passes, on node:net', async ({ stage }) => {
    const server = await stage.serve('server', 'dripping-server.ts', 0)
    const client = stage.start('client', 'timeouts-node.ts', ...hostAndPort(server), 1000)
    const [, received] = await client.lines(2)
    expect(received).toMatch(/^received: pord yb pord after /)
    expect(milliseconds(received!)).toBeGreaterThan(1000)
  })

  test('of everything', async ({ stage }) => {
    const dripping = await stage.serve('dripping', 'dripping-server.ts', 0)
    const late = stage.start('client 1', 'exercise-deadline.ts', ...hostAndPort(dripping), 140)
    expectLimit(await lastWords(late), 140)
    const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
    const inTime = stage.start('client 2', 'exercise-deadline.ts', ...hostAndPort(server), 5000)
    expect(await inTime.line()).toBe('received: pord yb pord')
  })
})
