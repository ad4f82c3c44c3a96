// The echo servers of page 2.3 under the same load, beside one in C and one on node:net: `npm run bench:echo`.
//
// The load (load.c) has one core to itself, and each server in its turn the other. It keeps 1, 50 or 500 connections busy with
// messages of 64 bytes. All servers are measured in each round, and a ratio is one to C in the same round, so that whatever the
// machine does beside concerns both. The table has medians of the rounds: messages a second in parts of what C echoes, and the
// processor's time that the server spends on a message, in parts of C's. Needs a C compiler (cc), taskset (util-linux), two cores.
//
// usage: node bench/echo.ts [ROUNDS [MILLISECONDS [NAME]]]    (NAME: only the servers whose name has it, and C)

import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const [rounds = 7, milliseconds = 500] = process.argv.slice(2, 4).map(Number)
const [wanted = ''] = process.argv.slice(4)
const CONNECTIONS = [1, 50, 500]
const [SERVER_CORE, LOAD_CORE] = ['0', '1']
const WARM_UP = 300 // ms, for the compiler
const CLOCK_TICK = 10_000 // µs, of /proc/PID/stat; sysconf(_SC_CLK_TCK) is 100 on Linux

interface Server {
  name: string
  command: string[]
  greeting?: number
}

interface Result {
  /** Messages a second. */
  rate: number
  /** Microseconds of processor time of the server a message. */
  cost: number
}

const missing = ['cc', 'taskset'].filter((name) => spawnSync(name, ['--version']).error !== undefined)
if (missing.length > 0 || availableParallelism() < 2) {
  console.error(missing.length > 0 ? `needs ${missing.join(' and ')}` : 'needs two cores')
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'echo-'))
const page = join(import.meta.dirname, '..', 'snippets', 'servers', 'multiplexing')
const ofPage = (file: string): string[] => [process.execPath, join(page, file), '0']
const all: Server[] = [
  { name: 'C, epoll', command: [compiled('echo'), '0'] },
  { name: 'epoll-server.ts', command: ofPage('epoll-server.ts') },
  { name: 'epoll-edge-server.ts', command: ofPage('epoll-edge-server.ts') },
  { name: 'epoll-oneshot-server.ts', command: ofPage('epoll-oneshot-server.ts') },
  { name: 'poll-server.ts', command: ofPage('poll-server.ts') },
  { name: 'select-server.ts', command: ofPage('select-server.ts'), greeting: 'Welcome to server!\n'.length },
  { name: 'node:net', command: [process.execPath, join(import.meta.dirname, 'echo-net.ts'), '0'] },
]
const servers = all.filter(({ name }, i) => i === 0 || name.includes(wanted))

try {
  const load = compiled('load')
  console.log(`load average ${loadavg()[0]!.toFixed(2)}: other work would share the two cores\n`)
  const results = new Map<string, Result[]>()
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      for (const [connections, result] of await measure(server, load)) {
        const key = `${server.name} ${connections}`
        results.set(key, [...(results.get(key) ?? []), result])
      }
    }
  }
  print('messages a second', results, 'rate')
  print('processor time of the server a message', results, 'cost')
} finally {
  rmSync(folder, { recursive: true })
}

async function measure({ command, greeting = 0 }: Server, load: string): Promise<Map<number, Result>> {
  const child = spawn('taskset', ['-c', SERVER_CORE, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.stdout.resume() // its log
  const port = /:(\d+)/.exec(line.toString())![1]!
  const run = async (connections: number, duration: number): Promise<[messages: number, took: number]> => {
    const args = ['-c', LOAD_CORE, load, port, String(connections), String(duration), String(greeting)]
    const { stdout } = await promisify(execFile)('taskset', args)
    return stdout.split(' ').map(Number) as [number, number]
  }
  const results = new Map<number, Result>()
  await run(50, WARM_UP)
  for (const connections of CONNECTIONS) {
    const before = ticks(child.pid!)
    const [messages, took] = await run(connections, milliseconds)
    const spent = (ticks(child.pid!) - before) * CLOCK_TICK
    // The ticks also count the tenth that the load takes to warm up.
    results.set(connections, { rate: (messages / took) * 1e6, cost: spent / (messages * 1.1) })
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  return results
}

/** utime and stime of proc(5), /proc/PID/stat */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function compiled(name: string): string {
  const file = join(folder, name)
  execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-o', file, join(import.meta.dirname, `${name}.c`)])
  return file
}

function print(title: string, results: Map<string, Result[]>, what: keyof Result): void {
  const [base] = servers
  const head = CONNECTIONS.map((connections) => String(connections).padStart(18)).join('')
  console.log(`${title.padEnd(44)}\n${'connections'.padEnd(24)}${head}`)
  for (const { name } of servers) {
    const cells = CONNECTIONS.map((connections) => {
      const own = results.get(`${name} ${connections}`)!.map((result) => result[what])
      const others = results.get(`${base!.name} ${connections}`)!.map((result) => result[what])
      const ratio = median(own.map((value, i) => value / others[i]!))
      const value = what === 'rate' ? median(own).toFixed(0) : `${median(own).toFixed(2)} µs`
      return `${value} (${ratio.toFixed(2)})`.padStart(18)
    })
    console.log(name.padEnd(24) + cells.join(''))
  }
  console.log()
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
