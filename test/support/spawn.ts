// A child process with its three standard streams: on Linux by posix_spawn(3), which is why this is here (see posix-spawn.ts for what it
// saves), and elsewhere by node:child_process.

import { type ChildProcess, spawn as spawnByNode } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { LIMIT, within } from './within.ts'

/** How a process ended: with a status, or by a signal. */
export interface Exit {
  status: number | null
  signal: NodeJS.Signals | null
}

export interface Command {
  /** A path, or a name that is looked for in this process's PATH. */
  file: string
  args: readonly string[]
  /** Where it runs; this process's folder by default. */
  cwd?: string | undefined
  /** This process's own by default. */
  env?: NodeJS.ProcessEnv | undefined
}

export interface Child {
  readonly pid: number
  /** What cannot be written is lost, for a child may end before it has read its input. */
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once it has ended and both its outputs have: that is, when whoever has inherited them is gone as well. */
  readonly ended: Promise<Exit>
  /** Whether its end is yet to be noticed. */
  running(): boolean
  /** Sends a signal; nothing, once its end was noticed: the id may be another's by then. */
  kill(signal: NodeJS.Signals): void
}

/** By node:child_process, which tells why a child could not be started only later: this throws at once, without the reason. */
export function spawnThroughNode({ file, args, cwd, env }: Command): Child {
  const child = spawnByNode(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  if (child.pid === undefined) {
    child.on('error', () => {})
    throw new Error(`spawn ${file}: it cannot be started${cwd === undefined ? '' : ` in ${cwd}`}`)
  }
  child.stdin.on('error', () => {})
  return {
    pid: child.pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended: ending(child),
    running: () => child.exitCode === null && child.signalCode === null,
    kill(signal) {
      child.kill(signal)
    },
  }
}

async function ending(child: ChildProcess): Promise<Exit> {
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { status, signal }
}

/** Starts a child. @throws where it cannot be started: no such file or folder, for one */
export const spawn: (command: Command) => Child = (await spawnThroughLibc()) ?? spawnThroughNode

/** Undefined on a machine that posix/ does not know, and where there is no koffi or no glibc. */
async function spawnThroughLibc(): Promise<((command: Command) => Child) | undefined> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined
  try {
    return (await import('./posix-spawn.ts')).posixSpawn
  } catch {
    return undefined
  }
}

/** How a process ended, and all that it printed. */
export interface Outcome extends Exit {
  stdout: string
  stderr: string
}

export interface RunOptions extends Pick<Command, 'cwd' | 'env'> {
  /** What it finds on its standard input, which ends there; nothing by default. */
  input?: string
  /** How long it may take, in milliseconds. */
  limit?: number
}

/** Runs a command to its end. */
export async function runToEnd(
  file: string,
  args: readonly string[],
  { cwd, env, input = '', limit = LIMIT }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn({ file, args, cwd, env })
  child.stdin.end(input)
  try {
    const all = Promise.all([child.ended, text(child.stdout), text(child.stderr)])
    const [exit, stdout, stderr] = await within(all, `the end of ${[file, ...args].join(' ')}`, limit)
    return { ...exit, stdout, stderr }
  } finally {
    child.kill('SIGKILL')
  }
}
