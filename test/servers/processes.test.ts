import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test as plain } from 'vitest'
import * as posix from '#posix'
import { untilStopped } from '../support/blocked.ts'
import { conformance } from '../support/conformance.ts'
import { descendants, socketsOf } from '../support/leaks.ts'
import type { Address, Program } from '../support/program.ts'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { runToEnd } from '../support/spawn.ts'
import { type Stage, createStage } from '../support/stage.ts'
import { recordedTable } from '../support/tables.ts'
import { LIMIT, until, within } from '../support/within.ts'
import { scenarios } from './processes.scenarios.ts'

const slug = 'servers/processes'
const test = testsOf(slug)

recordings(slug, scenarios)

const pools = ['prefork-server.ts', 'reuseport-server.ts', 'fork-handles-node.ts', 'cluster-server-node.ts']

const service = {
  slug,
  model: 'concurrent',
  stop: 'orderly',
  reply: (line: Buffer): Buffer => line.reverse(),
  lineMax: 65_536,
} as const
conformance({ ...service, file: 'process-server.ts', clientsAtOnce: 12, clientsInTurn: 9 })
conformance({ ...service, file: 'prefork-server.ts', clientsAtOnce: 2 }) // as many as there are workers
conformance({ ...service, file: 'reuseport-server.ts', clientsAtOnce: 30 })
conformance({ ...service, file: 'fork-handles-node.ts', clientsAtOnce: 30 })
conformance({ ...service, file: 'cluster-server-node.ts', clientsAtOnce: 30 })

describe('what a client costs', () => {
  const WORKERS = 3
  const CLIENTS = 30

  interface Way {
    program: string
    what: string
    /** Of a page other than this one. */
    of?: string
    args?: (string | number)[]
    clients?: number
    prefix?: string[]
  }
  const pool = [0, '127.0.0.1', WORKERS]
  const handedOut: (Way & { by: string })[] = [
    { program: 'prefork-server.ts', what: 'nothing', by: 'the kernel: who has waited longest', args: pool },
    { program: 'reuseport-server.ts', what: 'nothing', by: 'the kernel: a hash of the addresses', args: pool },
    { program: 'cluster-server-node.ts', what: 'a message', by: 'the primary: in turn', args: pool },
    { program: 'fork-handles-node.ts', what: 'two messages', by: 'the parent: in turn', args: pool },
    {
      program: 'cluster-server-node.ts',
      what: 'nothing (SCHED_NONE)',
      by: 'SCHED_NONE: whoever comes first',
      args: pool,
      prefix: ['env', 'NODE_CLUSTER_SCHED_POLICY=none'],
    },
  ]
  const ways: Way[] = [
    { program: 'reversing-server.ts', what: 'nothing: one process', of: 'servers/iterative' },
    ...handedOut,
    { program: 'exercise-inetd.ts', what: 'a process: cat', clients: 10 },
    { program: 'process-server.ts', what: 'a process: node', clients: 6 },
  ]

  plain('is measured, and so is which worker gets it', { timeout: 60_000 }, async () => {
    const milliseconds: number[] = []
    const megabytes: (number | string)[] = []
    const shares: number[][] = []
    for (const { program, what, of, args = [0], clients = CLIENTS, prefix = [] } of ways) {
      const stage = createStage({ folder: programsOf(of ?? slug), prefix })
      try {
        const server = await stage.serve('server', program, ...args)
        const times = Array.from({ length: clients }, () => connection(server.address))
        milliseconds.push(Number(Math.min(...times).toPrecision(2))) // other work can only make one slower
        if (args === pool) shares.push(await share(server))
        megabytes.push(what.startsWith('a process') ? await ownMemory(stage, server) : '')
      } finally {
        await stage.close()
      }
    }

    await recordedTable(
      slug,
      'costs.json',
      {
        title: 'From connect to the answer, the fastest of 6 to 30 clients, one after another; memory of its own',
        columns: ['program', 'for a client', 'ms', 'MB'],
        rows: ways.map(({ program, what }, i) => [program, what, milliseconds[i]!, megabytes[i]!]),
      },
      {
        varies: ['ms', 'MB'],
        holds: (rows) => {
          const cost = (program: string): number => Number(rows.find((row) => row['program'] === program)!['ms'])
          expect(cost('process-server.ts')).toBeGreaterThan(10 * cost('prefork-server.ts'))
          expect(cost('process-server.ts')).toBeGreaterThan(2 * cost('exercise-inetd.ts'))
          expect(cost('exercise-inetd.ts')).toBeGreaterThan(cost('prefork-server.ts'))
          const [cat, node] = rows.flatMap((row) => (row['MB'] === '' ? [] : Number(row['MB'])))
          expect(node).toBeGreaterThan(10 * cat!)
        },
      },
    )

    const places = ['1st', '2nd', '3rd']
    await recordedTable(
      slug,
      'shares.json',
      {
        title: `${CLIENTS} clients, one after another, to ${WORKERS} workers`,
        columns: ['program', 'who decides', ...places],
        rows: handedOut.map(({ program, by }, i) => [program, by, shares[i]!].flat()),
      },
      {
        varies: places,
        holds: (rows) => {
          for (const row of rows) {
            const all = places.map((place) => Number(row[place]))
            expect(all.reduce((sum, one) => sum + one)).toBe(CLIENTS)
            if (String(row['who decides']).endsWith('in turn')) expect(all).toEqual([10, 10, 10])
          }
        },
      },
    )
  })

  /** The memory that the process of a client shares with no other, in megabytes. proc_pid_smaps(5), smaps_rollup */
  async function ownMemory(stage: Stage, server: Program): Promise<number> {
    await until(() => descendants(server.pid).length === 0, 'the clients before it to be gone')
    const client = await stage.connect('client', server)
    await client.send('hello\n')
    await until(() => client.socket.bytesRead > 0, 'an answer')
    const [child] = descendants(server.pid)
    const rows = readFileSync(`/proc/${child}/smaps_rollup`, 'latin1').matchAll(/^Private_\w+:\s+(\d+) kB/gm)
    const kilobytes = [...rows].reduce((sum, [, size]) => sum + Number(size), 0)
    return Number((kilobytes / 1024).toPrecision(2))
  }

  /** How many clients each worker has served, the busiest first. */
  async function share(server: Program): Promise<number[]> {
    const served = new Map<string, number>()
    for (let clients = 0; clients < CLIENTS;) {
      const pid = /^(pid \d+) serves/.exec(await server.line())?.[1]
      if (pid === undefined) continue
      served.set(pid, (served.get(pid) ?? 0) + 1)
      clients++
    }
    const counts = [...served.values(), ...Array<number>(WORKERS).fill(0)]
    return counts.toSorted((a, b) => b - a).slice(0, WORKERS)
  }
})

/** Connects, sends a line, and waits for the answer, with calls that block; how long it took in milliseconds. */
function connection({ host, port }: Address): number {
  const { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO } = posix
  const fd = posix.socket(AF_INET, SOCK_STREAM, 0)
  try {
    posix.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, posix.timeval(LIMIT)) // fails in place of waiting for ever
    const start = performance.now()
    posix.connect(fd, posix.sockaddr_in(host, port))
    posix.send(fd, Buffer.from('hello\n'), 6, 0)
    const answer = Buffer.alloc(5)
    for (let received = 0; received < 5;) {
      const count = posix.recv(fd, answer.subarray(received), 5 - received, 0)
      if (count === 0) throw new Error('the server has closed')
      received += count
    }
    return performance.now() - start
  } finally {
    posix.close(fd)
  }
}

test('each connection is open in one process, and the listening socket in the parent alone', async ({ stage }) => {
  const server = await stage.serve('server', 'process-server.ts', 0)
  const { port } = server.address
  const first = await stage.connect('first client', server)
  const second = await stage.connect('second client', server)
  for (const client of [first, second]) {
    await client.send('hello\n')
    await client.receive('olleh') // the child is there, and the parent has closed its copy
  }

  // The server's sockets in the order of the remote ports, 0 for the listening one. proc_pid_net_tcp(5)
  const hex = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0')
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  const columns = rows.map((row) => row.trim().split(/\s+/)).filter(([, local]) => local?.endsWith(`:${hex(port)}`))
  const holders = [0, first.socket.localPort!, second.socket.localPort!].map((remote) => {
    const inode = columns.find((row) => row[2]?.endsWith(`:${hex(remote)}`))?.[9]
    const processes = [server.pid, ...descendants(server.pid)]
    return processes.filter((pid) => socketsOf(pid).includes(`socket:[${inode}]`))
  })
  expect(holders[0]).toEqual([server.pid])
  const children = descendants(server.pid)
  expect(children).toHaveLength(2)
  expect([holders[1], holders[2]].flat().toSorted()).toEqual(children.toSorted())
})

test('Node makes the descriptors 0 to 2 of a child blocking, and no others', async ({ stage }) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await within(once(server, 'listening'), 'a listening socket')
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  for (const lane of ['first client', 'second client']) {
    const accepted = once(server, 'connection')
    await stage.connect(lane, { host: '127.0.0.1', port })
    sockets.push(...((await within(accepted, 'a connection')) as Socket[]))
  }
  const [zero, three] = sockets
  const child = spawn('cat', ['/proc/self/fdinfo/0', '/proc/self/fdinfo/3'], {
    stdio: [zero!, 'pipe', 'inherit', three!],
  })
  let text = ''
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await within(once(child, 'close'), 'the end of cat')
  for (const socket of sockets) socket.destroy()
  server.close()
  await within(once(server, 'close'), 'the end of the server')
  const flags = [...text.matchAll(/^flags:\s+(\d+)$/gm)].map(([, octal]) => Number.parseInt(octal!, 8))
  expect(flags.map((flag) => (flag & posix.O_NONBLOCK) !== 0)).toEqual([false, true])
})

test('a server of processes that has no descriptor for its client takes it when there is one', async ({ stage }) => {
  const server = await stage.serve('server', 'process-server.ts', 0)
  execFileSync('prlimit', [`--pid=${server.pid}`, '--nofile=3:'])
  const client = await stage.connect('client', server)
  await client.send('hello\n')
  expect(await server.errorLine()).toBe('accept EMFILE: too many open files')
  execFileSync('prlimit', [`--pid=${server.pid}`, '--nofile=100:'])
  await client.receive('olleh')
})

describe('a parent that is killed', () => {
  test.for([...pools, 'exercise-restart.ts'])('%s leaves no worker behind', async (file, { stage }) => {
    const server = await stage.serve('server', file, 0)
    expect(descendants(server.pid).length).toBeGreaterThan(0)
    server.kill('SIGKILL')
    await server.exit() // waits for the workers too, since its output is theirs
    await until(() => !server.listens(), 'the port to be free')
  })

  test.for(['reuseport-server.ts', 'fork-handles-node.ts', 'exercise-restart.ts'])(
    '%s: a worker that has nobody to tell that it is ready says nothing, and ends',
    async (file, { stage }) => {
      const server = stage.start('server', file, 0)
      await until(() => descendants(server.pid).length > 0, 'a worker to start')
      server.kill('SIGKILL')
      await within(server.ended, 'the end of the workers')
      const said = server.unawaited().filter((line) => !line.startsWith('listening on ')) // it may have been quick
      expect(said).toEqual([])
    },
  )

  test('process-server.ts leaves a child to its client, and the port to the next server', async ({ stage }) => {
    const server = await stage.serve('server', 'process-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    server.kill('SIGKILL')
    await until(() => !server.running(), 'the end of the server')
    await until(() => !server.listens(), 'the port to be free')
    await client.send('hello\n')
    await client.receive('olleh')
    await client.close()
    await server.exit() // and of its child
  })
})

describe('where the system allows no further process', () => {
  // For root there is no RLIMIT_NPROC, so the server runs as another user then.
  const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  const [command, ...args] = [...nobody, 'cat', join(programsOf(slug), 'process-server.ts'), process.execPath]
  const possible = spawnSync(command!, args, { stdio: 'ignore' }).status === 0
  if (!possible) console.warn('skipped: EAGAIN from spawn: another user cannot read the programs')

  /** Sets how many processes the server's user may have if this server is to start another. prlimit(1) */
  function limit({ pid }: Program, processes: number): void {
    const [command, ...args] = [...nobody, 'prlimit', `--pid=${pid}`, `--nproc=${processes}:`]
    execFileSync(command!, args)
  }

  plain.skipIf(!possible)('the client is turned away with EAGAIN, and the server goes on', async () => {
    const stage = createStage({ folder: programsOf(slug), prefix: nobody })
    try {
      const server = await stage.serve('server', 'process-server.ts', 0)
      limit(server, 1)
      const first = await stage.connect('first client', server)
      expect(await server.line()).toMatch(/^no process for 127\.0\.0\.1:\d+: EAGAIN$/)
      await first.receiveEnd()
      limit(server, 10_000)
      const second = await stage.connect('second client', server)
      await second.send('hello\n')
      await second.receive('olleh')
    } finally {
      await stage.close()
    }
  })
})

test('nobody is refused or lost while a program is replaced', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-restart.ts', 0)
  const lines: string[] = []
  const log = (async () => {
    while (!lines.includes('worker 1 ended: status 0')) lines.push(await server.line())
  })()
  server.kill('SIGHUP')
  let clients = 0
  while (!lines.includes('worker 1 ended: status 0')) {
    const socket = connect(server.address)
    socket.end('hello\n')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    await within(once(socket, 'close'), 'an answer')
    expect(answer).toBe('olleh')
    clients++
  }
  await log
  expect(clients).toBeGreaterThan(0)
  expect(lines).toContain('worker 2 takes over')
})

test('exercise-restart.ts goes on where the worker that follows a crashed one fails as well', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-restart.ts', 0)
  const [first] = descendants(server.pid)
  process.kill(first!, 'SIGKILL')
  expect(await server.line()).toBe('worker 1 ended: SIGKILL')
  let second: number | undefined
  await until(() => {
    second = descendants(server.pid).find((pid) => pid !== first)
    return second !== undefined
  }, 'the next worker')
  process.kill(second!, 'SIGKILL')
  const lines: string[] = []
  while (lines.at(-1) !== 'worker 3 takes over') lines.push(await server.line())
  const client = await stage.connect('client', server)
  await client.send('hello\n')
  await client.receive('olleh')
})

test.for(['process-server.ts', ...pools])('%s ends in order on two signals at once', async (file, { stage }) => {
  const server = await stage.serve('server', file, 0)
  server.kill('SIGSTOP') // or it might have ended, but for the end of Node itself, before the second comes
  await untilStopped(server.pid, server.lane)
  server.kill('SIGTERM')
  server.kill('SIGINT')
  server.kill('SIGCONT')
  expect(await server.exit()).toEqual({ status: 0, signal: null })
})

test('cluster-server-node.ts: a worker that stands still holds one client, and the other one has the rest', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'cluster-server-node.ts', 0)
  const [still] = descendants(server.pid)
  process.kill(still!, 'SIGSTOP')
  await untilStopped(still!, 'a worker')
  let answered = 0
  const all = Array.from({ length: 8 }, async (_, i) => {
    const client = await stage.connect(`client ${i + 1}`, server)
    await client.send('hello\n')
    await client.receive('olleh')
    answered++
  })
  await until(() => answered >= 7, 'seven answers')
  expect(answered).toBe(7)
  process.kill(still!, 'SIGCONT')
  await Promise.all(all)
})

test('the number of processes is checked like the port', async () => {
  for (const file of ['process-server.ts', 'prefork-server.ts', 'reuseport-server.ts', 'fork-handles-node.ts']) {
    const command = [file, '0', '127.0.0.1', '0']
    const { status, stderr } = await runToEnd(process.execPath, command, { cwd: programsOf(slug) })
    expect({ status, stderr }).toEqual({ status: 2, stderr: `usage: node ${file} PORT [HOST [PROCESSES]]\n` })
  }
})
