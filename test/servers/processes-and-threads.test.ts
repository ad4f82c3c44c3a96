import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { conformance } from '../support/conformance.ts'
import { stateOf } from '../support/blocked.ts'
import { descendants } from '../support/leaks.ts'
import type { Program } from '../support/program.ts'
import { recordings, testsOf } from '../support/recordings.ts'
import { runToEnd } from '../support/spawn.ts'
import { recordedTable } from '../support/tables.ts'
import { until, within } from '../support/within.ts'
import { scenarios } from './processes-and-threads.scenarios.ts'

const slug = 'servers/processes-and-threads'
const test = testsOf(slug)

recordings(slug, scenarios)

conformance({
  slug,
  file: 'processes-and-threads-server.ts',
  model: 'concurrent',
  stop: 'orderly',
  reply: (line) => line.reverse(),
  lineMax: 65_536,
  clientsAtOnce: 4,
})
conformance({
  slug,
  file: 'cluster-and-workers-node.ts',
  model: 'concurrent',
  stop: 'orderly',
  reply: () => Buffer.from('not a number of up to nine digits\n'),
  lineMax: 65_536,
  clientsAtOnce: 50,
})

test('the processes end with a supervisor that was killed, and free the port', async ({ stage }) => {
  const server = await stage.serve('server', 'processes-and-threads-server.ts', 0)
  const client = await stage.connect('client', server)
  await server.line()
  const children = descendants(server.pid)
  expect(children.length).toBe(2)
  server.kill('SIGKILL')
  await client.receiveEnd()
  await until(
    () => children.every((pid) => stateOf(pid) === undefined || stateOf(pid) === 'Z') && !server.listens(),
    'all of it to end',
  )
})

test.for(['processes-and-threads-server.ts', 'exercise-one-ends.ts'])(
  '%s: a process that has nobody to tell that it is ready says nothing, and ends',
  async (file, { stage }) => {
    const server = stage.start('server', file, 0)
    await until(() => descendants(server.pid).length > 0, 'a process to start')
    server.kill('SIGKILL')
    await within(server.ended, 'the end of the processes')
    const said = server.unawaited().filter((line) => !line.startsWith('listening on ')) // it may have been quick
    expect(said).toEqual([])
  },
)

/** The memory of a program and of all that it has started, in bytes; what they share is counted once. proc(5), Pss */
function memory({ pid }: Program): number {
  const pss = [pid, ...descendants(pid)].map((one) =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'latin1'))![1]),
  )
  return pss.reduce((sum, kilobytes) => sum + kilobytes * 1024, 0)
}

/** Connects, is answered, and leaves; gives the milliseconds until the answer. */
async function visit({ address }: Program): Promise<number> {
  const start = performance.now()
  const socket = connect({ ...address, noDelay: true })
  socket.write('hello\n')
  await within(once(socket, 'data'), 'an answer')
  const time = performance.now() - start
  const closed = once(socket, 'close')
  socket.end()
  await within(closed, 'the end of a connection')
  return time
}

test('exercise-one-ends.ts replaces one process after another, also while all of them have clients', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'exercise-one-ends.ts', 0, '127.0.0.1', 2, 1)
  const clients = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
  for (const client of clients) {
    await client.send('hello\n')
    await client.receive('hello\n')
  }
  for (let i = 0; i < 2; i++) {
    server.kill('SIGHUP')
    expect(await server.line()).toMatch(/^pid \d+ is ready$/)
  }
  for (const client of clients) {
    await client.send('still here\n')
    await client.receive('still here\n')
  }
  for (const client of clients) {
    await client.close()
    expect(await server.line()).toMatch(/^pid \d+ has ended$/)
  }
})

test('in a thread of a worker cluster says that it is the primary', async () => {
  const text = `
    const cluster = require('node:cluster')
    const { Worker, isMainThread } = require('node:worker_threads')
    if (!isMainThread) console.log('thread', cluster.isPrimary)
    else if (cluster.isPrimary) cluster.fork()
    else {
      console.log('worker', cluster.isPrimary)
      new Worker(process.argv[1]).on('exit', () => process.exit())
    }`
  const folder = mkdtempSync(join(tmpdir(), 'cluster-'))
  try {
    writeFileSync(join(folder, 'roles.cjs'), text)
    const { stdout, stderr } = await runToEnd(process.execPath, [join(folder, 'roles.cjs')])
    expect({ stdout, stderr }).toEqual({ stdout: 'worker false\nthread true\n', stderr: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('four places cost the more, the more processes they are in', async ({ stage }) => {
  const rows: (string | number)[][] = []
  const first = await stage.serve('server', 'processes-and-threads-server.ts', 0, '127.0.0.1', 1, 1)
  first.kill('SIGTERM') // it has compiled for the others, and keeps that when it ends
  await first.ended
  for (const [processes, threads] of [
    [1, 4],
    [2, 2],
    [4, 1],
  ] as const) {
    const start = performance.now()
    const server = await stage.serve('server', 'processes-and-threads-server.ts', 0, '127.0.0.1', processes, threads)
    const ready = performance.now() - start
    server.ignoreOutput()
    const bytes = memory(server)
    const times: number[] = []
    for (let i = 0; i < 30; i++) times.push(await visit(server))
    server.kill('SIGTERM')
    await server.ended
    const median = times.toSorted((a, b) => a - b)[15]!
    const figures = [ready, bytes / 2 ** 20, median].map((figure) => Number(figure.toPrecision(2)))
    rows.push([processes, threads, ...figures])
  }
  await recordedTable(
    slug,
    'grid.json',
    {
      title: 'Four places for clients, in processes and threads',
      columns: ['processes', 'threads each', 'ms to start', 'MB', 'ms an answer'],
      rows,
    },
    {
      varies: ['ms to start', 'MB', 'ms an answer'],
      holds: ([one, , four]) => expect(four!['MB']).toBeGreaterThan(Number(one!['MB'])),
    },
  )
})

test('in turn, clients are spread over all threads of all processes', async ({ stage }) => {
  const CLIENTS = 100
  const server = await stage.serve('server', 'processes-and-threads-server.ts', 0, '127.0.0.1', 2, 2)
  const served = new Map<string, number>()
  for (let i = 0; i < CLIENTS; i++) {
    await visit(server)
    const [serves] = await server.lines(2)
    const place = /pid \d+ thread \d+/.exec(serves!)![0]
    served.set(place, (served.get(place) ?? 0) + 1)
  }
  const places = [...served.keys()].toSorted()
  const pids = [...new Set(places.map((place) => place.split(' ')[1]!))]
  await recordedTable(
    slug,
    'spread.json',
    {
      title: 'Clients that come one after the other',
      columns: ['process', 'thread', 'clients'],
      rows: places.map((place) => {
        const [, pid, , thread] = place.split(' ')
        return [pids.indexOf(pid!) + 1, Number(thread), served.get(place)!]
      }),
    },
    {
      varies: ['clients'],
      holds: (rows) => {
        expect(rows.length).toBe(4)
        expect(rows.reduce((sum, row) => sum + Number(row['clients']), 0)).toBe(CLIENTS)
      },
    },
  )
})
