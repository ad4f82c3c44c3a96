import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Socket, connect } from 'node:net'
import { expect } from 'vitest'
import { conformance } from '../support/conformance.ts'
import { descriptorCount, residentMemory, threadCount } from '../support/leaks.ts'
import type { Address, Program } from '../support/program.ts'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { createStage } from '../support/stage.ts'
import { recordedTable } from '../support/tables.ts'
import { untilThreadsIn } from '../support/blocked.ts'
import { until, within } from '../support/within.ts'
import { scenarios } from './threads.scenarios.ts'

const slug = 'servers/threads'
const reply = (line: Buffer): Buffer => line.reverse()
const lineMax = 65_536
const test = testsOf(slug)

recordings(slug, scenarios)

conformance({ slug, file: 'thread-server.ts', model: 'concurrent', stop: 'default', reply, lineMax, clientsAtOnce: 8 })
conformance({
  slug,
  file: 'prethreaded-server.ts',
  model: 'concurrent',
  stop: 'orderly',
  reply,
  lineMax,
  clientsAtOnce: 4,
})
conformance({
  slug,
  file: 'primes-server-node.ts',
  model: 'concurrent',
  stop: 'orderly',
  reply: () => Buffer.from('not a number of up to nine digits\n'),
  lineMax,
  clientsAtOnce: 50,
})

/** Connects, sends a line, receives the answer, and gives the connection. */
async function served({ host, port }: Address): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  socket.write('hello\n')
  await within(once(socket, 'data'), 'an answer')
  return socket
}

async function leave(socket: Socket): Promise<void> {
  const ended = once(socket, 'close')
  socket.end()
  await within(ended, 'the end of a connection')
}

test('without a descriptor for a client the pool ends in order, and says why', async ({ stage }) => {
  const server = await stage.serve('server', 'prethreaded-server.ts', 0, '127.0.0.1', 2)
  await untilThreadsIn('accept', server.pid, 2) // each has taken a descriptor already
  spawnSync('prlimit', ['--nofile=3:', '--pid', String(server.pid)])
  const first = await stage.connect('client 1', server)
  const second = await stage.connect('client 2', server)
  await first.send('hello\n')
  await second.send('hello\n')
  await first.receive('olleh')
  await second.receive('olleh')
  await first.close() // its thread accepts again
  expect(await server.errorLine()).toBe('accept EMFILE: too many open files')
  await second.receiveEnd()
  expect(await server.exit()).toEqual({ status: 1, signal: null })
})

test('thread-server.ts closes what a thread cannot: one that could not be started, or not read its file', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'thread-server.ts', 0)
  const serving = async (): Promise<void> => {
    while (!(await server.line()).startsWith('serving '));
  }
  await untilThreadsIn('accept', server.pid, 1)
  const threads = threadCount(server.pid)
  const threadHasEnded = (): Promise<void> => until(() => threadCount(server.pid) <= threads, 'the thread to end')
  await leave(await served(server.address)) // all that is opened once has been
  await serving()
  await threadHasEnded()
  const descriptors = descriptorCount(server.pid)
  const answers: Promise<string>[] = []
  // With each round a thread comes one descriptor further. The server hears of its end when the next client comes.
  for (let room = 1; room <= 25; room++) {
    spawnSync('prlimit', [`--nofile=${descriptors + room}:`, '--pid', String(server.pid)])
    answers.push(answerOf(server.address))
    await serving()
    await threadHasEnded()
  }
  const all = await within(Promise.all(answers), 'the end of all clients')
  expect(all.filter((answer) => answer === '').length).toBeGreaterThan(1)
  expect(all.at(-1)).toBe('olleh')
  await until(() => descriptorCount(server.pid) <= descriptors, 'its descriptors to be closed')
})

/** All that comes back for a line, until the end or a reset. */
async function answerOf({ host, port }: Address): Promise<string> {
  const socket = connect({ host, port, noDelay: true })
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.on('error', () => {})
  socket.end('hello\n')
  const closed = new Promise((resolve) => socket.on('close', resolve)) // also after an error
  await within(closed, 'the end of a connection')
  return answer
}

test('the numbers of one client are answered in their order, and those of too many clients wait for a thread', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'primes-server-node.ts', 0, '127.0.0.1', 1)
  const first = await stage.connect('client 1', server)
  const second = await stage.connect('client 2', server)
  await first.send('100000\n10\n')
  await server.line()
  await second.send('100')
  await second.halfClose()
  await first.receive('9592\n4\n')
  await second.receive('25\n')
  await second.receiveEnd()
})

/** The milliseconds from connect to the first answer, the shortest of some clients one after the other: other work can only make one slower. */
async function latency({ address }: Program, clients: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < clients; i++) {
    const start = performance.now()
    const socket = await served(address)
    times.push(performance.now() - start)
    await leave(socket)
  }
  return Number(Math.min(...times).toPrecision(2))
}

/** The stacks of 4 MiB in a process, which are those of Workers; other threads have the 8 MiB of ulimit -s. proc(5), /proc/PID/maps */
function stacks({ pid }: Program): number {
  const sizes = readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .filter((line) => / rw-p 00000000 00:00 0 *$/.test(line))
    .map(
      (line) =>
        line
          .split(' ')[0]!
          .split('-')
          .map((hex) => Number.parseInt(hex, 16)) as [number, number],
    )
  return sizes.filter(([from, to]) => to - from === 4 * 2 ** 20).length
}

const megabytes = (bytes: number): number => Number((bytes / 2 ** 20).toPrecision(2))

/** Starts a server whose Node keeps nothing of what it compiles, as on a reader's machine; gives it to `measure`. */
async function withoutCache<T>(file: string, measure: (server: Program) => Promise<T>): Promise<T> {
  const cache = process.env['NODE_COMPILE_CACHE']
  delete process.env['NODE_COMPILE_CACHE']
  const stage = createStage({ folder: programsOf(slug) })
  if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] = cache
  try {
    const server = await stage.serve('server', file, 0)
    server.ignoreOutput()
    return await measure(server)
  } finally {
    await stage.close()
  }
}

/** By how many megabytes a server grows for each client that it has at the same time. */
async function memoryOfClients({ pid, address }: Program, clients: number): Promise<number> {
  const before = residentMemory(pid)
  const sockets = await Promise.all(Array.from({ length: clients }, () => served(address)))
  const growth = residentMemory(pid) - before
  for (const socket of sockets) await leave(socket)
  return megabytes(growth / clients)
}

test('a thread for each connection costs more than a pool, and threads that nobody joins leave their stacks behind', async ({
  stage,
}) => {
  const CONNECTIONS = 10
  const serve = async (file: string, ...args: (string | number)[]): Promise<Program> => {
    const server = await stage.serve('server', file, 0, '127.0.0.1', ...args)
    server.ignoreOutput()
    return server
  }
  const first = await serve('prethreaded-server.ts', 1)
  first.kill('SIGTERM') // it has compiled for the others, and keeps that when it ends
  await first.ended

  const threads = await serve('thread-server.ts')
  const perThread = await latency(threads, CONNECTIONS)
  const joined = stacks(threads)
  const memory = await memoryOfClients(threads, 4)

  const unjoinedServer = await serve('unjoined.broken.ts')
  await latency(unjoinedServer, CONNECTIONS)
  const unjoined = stacks(unjoinedServer)

  const small = await serve('prethreaded-server.ts', 1)
  const pool = await serve('prethreaded-server.ts', 5)
  const pooled = megabytes((residentMemory(pool.pid) - residentMemory(small.pid)) / 4)
  const perPooled = await latency(pool, 50)

  const alone = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
  alone.ignoreOutput()
  const iterative = await latency(alone, 50)
  for (const server of [threads, unjoinedServer, small, pool, alone]) server.kill('SIGTERM')
  await Promise.all([threads, unjoinedServer, small, pool, alone].map(({ ended }) => ended))
  const compiled = await withoutCache('thread-server.ts', async (server) => ({
    perThread: await latency(server, CONNECTIONS),
    memory: await memoryOfClients(server, 4),
  }))

  await recordedTable(
    slug,
    'costs.json',
    {
      title: 'What a connection costs, and a thread',
      columns: ['server', 'ms an answer', 'MB a thread'],
      rows: [
        ['thread-server.ts', perThread, memory],
        ['the same without NODE_COMPILE_CACHE', compiled.perThread, compiled.memory],
        ['prethreaded-server.ts', perPooled, pooled],
        ['reversing-server.ts of 2.2', iterative, ''],
      ],
    },
    {
      varies: ['ms an answer', 'MB a thread'],
      holds: ([thread, , pool, alone]) => {
        const time = (row: Record<string, string | number> | undefined) => Number(row!['ms an answer'])
        expect(time(thread)).toBeGreaterThan(2 * time(pool))
        expect(time(thread)).toBeGreaterThan(2 * time(alone))
        for (const row of [thread, pool]) expect(row!['MB a thread']).toBeGreaterThan(1)
      },
    },
  )
  await recordedTable(
    slug,
    'stacks.json',
    {
      title: 'What threads that have ended leave in the address space',
      columns: ['server', 'connections', 'stacks', 'MB'],
      rows: [
        ['thread-server.ts', CONNECTIONS, joined, joined * 4],
        ['unjoined.broken.ts', CONNECTIONS, unjoined, unjoined * 4],
      ],
    },
    {
      varies: ['stacks', 'MB'],
      holds: ([joined, unjoined]) => {
        expect(joined!['stacks']).toBeLessThanOrEqual(10) // glibc keeps a few for the next threads
        expect(unjoined!['stacks']).toBeGreaterThanOrEqual(CONNECTIONS - 1)
      },
    },
  )
})
