// Servers under the same load (load.c), round after round: what bench/echo.ts and bench/lines.ts have in common.
//
// The load has one core to itself, and each server in its turn the other. All servers run in each round, and take turns many times in
// it: a ratio is one of two servers in the same round, so that whatever the machine does beside concerns both.
//
// With one connection a core halts whenever its program waits, twice a line. A virtual machine takes 30 µs and more to wake it, several
// times what a server takes to answer, and all servers would look alike: so both cores are kept awake there (awake.c; AWAKE=0 does
// without). With more connections they have no time to halt, and a loop beside them would only be in the way.

import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const [SERVER_CORE, LOAD_CORE] = ['0', '1']
const WARM_UP = 300 // ms, for the compiler
const SLICES = 5 // turns of a server in a round
const CLOCK_TICK = 10_000 // µs, of /proc/PID/stat; sysconf(_SC_CLK_TCK) is 100 on Linux

export interface Server {
  name: string
  command: string[]
  /** How many bytes it sends before the first answer. */
  greeting?: number
}

export interface Load {
  connections: number
  /** How many lines a connection sends at once, before it waits for the answers. */
  lines: number
  /** How many bytes an answer has before the line. */
  prefix: number
}

export interface Result {
  /** Lines a second. */
  rate: number
  /** Microseconds of processor time of the server a line. */
  cost: number
}

/** The results of all rounds. */
export interface Results {
  of(server: Server, load: Load): Result[]
}

/** Ends the program, with a word why, where what the benchmark needs is not there. */
export function needs(...commands: string[]): void {
  const missing = ['cc', 'taskset', ...commands].filter((name) => spawnSync(name, ['--version']).error !== undefined)
  if (missing.length === 0 && availableParallelism() >= 2) return
  console.error(missing.length > 0 ? `needs ${missing.join(' and ')}` : 'needs two cores')
  process.exit(1)
}

/** Compiles C programs of this folder, in a folder of its own that `use` may have for as long as it lasts. */
export async function withCompiled(names: string[], use: (programs: string[]) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const programs = names.map((name) => {
      const file = join(folder, name)
      execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-o', file, join(import.meta.dirname, `${name}.c`)])
      return file
    })
    await use(programs)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Measures each server under each load in each round, for so many milliseconds. */
export async function measure(
  servers: Server[],
  loads: Load[],
  options: { rounds: number; milliseconds: number },
): Promise<Results> {
  console.log(`load average ${loadavg()[0]!.toFixed(2)}: other work would share the two cores\n`)
  let results: Results | undefined
  await withCompiled(['load', 'awake'], async ([load, awake]) => {
    results = await measureRounds(servers, loads, { ...options, programs: { load: load!, awake: awake! } })
  })
  return results!
}

interface Programs {
  load: string
  awake: string
}

async function measureRounds(
  servers: Server[],
  loads: Load[],
  { rounds, milliseconds, programs }: { rounds: number; milliseconds: number; programs: Programs },
): Promise<Results> {
  const results = new Map<string, Result[]>()
  const key = (server: Server, load: Load): string => `${server.name} ${load.connections} ${load.lines}`
  for (let round = 0; round < rounds; round++) {
    const running = await Promise.all(servers.map(start))
    try {
      for (const load of loads) for (const server of running) await runLoad(programs, server, load, WARM_UP)
      for (const load of loads) {
        const totals = running.map(() => ({ lines: 0, took: 0, spent: 0 }))
        for (let slice = 0; slice < SLICES; slice++) {
          for (const [i, server] of running.entries()) {
            const before = ticks(server.pid)
            const [lines, took] = await runLoad(programs, server, load, milliseconds / SLICES)
            totals[i]!.lines += lines
            totals[i]!.took += took
            totals[i]!.spent += (ticks(server.pid) - before) * CLOCK_TICK
          }
        }
        for (const [i, { lines, took, spent }] of totals.entries()) {
          const of = key(servers[i]!, load)
          // The ticks also count the tenth that the load takes to warm up.
          results.set(of, [...(results.get(of) ?? []), { rate: (lines / took) * 1e6, cost: spent / (lines * 1.1) }])
        }
      }
    } finally {
      await Promise.all(running.map((server) => server.stop()))
    }
  }
  return { of: (server, load) => results.get(key(server, load))! }
}

interface Running {
  pid: number
  port: string
  greeting: number
  stop(): Promise<void>
}

async function start({ command, greeting = 0 }: Server): Promise<Running> {
  const child = spawn('taskset', ['-c', SERVER_CORE, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.stdout.resume() // its log
  return {
    pid: child.pid!,
    port: /:(\d+)/.exec(line.toString())![1]!,
    greeting,
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** How many lines were answered, and in how many microseconds. */
async function runLoad(
  programs: Programs,
  { port, greeting }: Running,
  { connections, lines, prefix }: Load,
  milliseconds: number,
): Promise<[lines: number, took: number]> {
  const cores = connections === 1 && process.env.AWAKE !== '0' ? [SERVER_CORE, LOAD_CORE] : []
  const loops = cores.map((core) =>
    spawn('taskset', ['-c', core, programs.awake], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  try {
    const args = [port, connections, milliseconds, greeting, lines, prefix].map(String)
    const { stdout } = await promisify(execFile)('taskset', ['-c', LOAD_CORE, programs.load, ...args])
    return stdout.split(' ').map(Number) as [number, number]
  } finally {
    for (const loop of loops) loop.kill()
  }
}

/** utime and stime of proc(5), /proc/PID/stat */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** A table of medians, each with the median of its ratio to the first server in the same round. */
export function print(
  title: string,
  servers: Server[],
  loads: Load[],
  head: (load: Load) => string,
  results: Results,
  what: keyof Result,
): void {
  const first = servers[0]!
  console.log(title)
  console.log(`${''.padEnd(28)}${loads.map((load) => head(load).padStart(20)).join('')}`)
  for (const server of servers) {
    const cells = loads.map((load) => {
      const value = median(results.of(server, load).map((result) => result[what]))
      const text = what === 'rate' ? value.toFixed(0) : `${value.toFixed(2)} µs`
      return `${text} (${ratio(results, server, first, load, what).toFixed(2)})`.padStart(20)
    })
    console.log(server.name.padEnd(28) + cells.join(''))
  }
  console.log()
}

/** The median of the ratio of one server to another in the same round. */
function ratio(results: Results, server: Server, to: Server, load: Load, what: keyof Result): number {
  const others = results.of(to, load)
  return median(results.of(server, load).map((result, i) => result[what] / others[i]![what]))
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
