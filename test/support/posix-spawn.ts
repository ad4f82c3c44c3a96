// Children by posix_spawn(3), and why not by node:child_process: libuv starts them by fork, which copies the page tables of this
// process, and both then take a fault for each page that they write to, so that a start costs the more, the larger the process is.
// glibc's posix_spawn lends the child our memory until it has called exec (CLONE_VM | CLONE_VFORK). Measured on two busy cores with
// Linux 6.18: the time of the call that starts `true` (median of 60), and the CPU time of both processes until that has ended (150):
//
//    this process   posix_spawn          node:child_process
//       ~ 95 MB     1.9 ms,   2 ms        6.0 ms,  4 to  5 ms
//       ~160 MB               2 ms                 7 to 11 ms
//       ~240 MB     1.5 ms,   2 ms       17.8 ms, 13 to 18 ms
//
// Vitest's processes have 120 to 240 MB, and start about 1,000 children in a run.

import { accessSync, constants as modes } from 'node:fs'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Child, Command, Exit } from './spawn.ts'
import {
  AF_UNIX,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  WEXITSTATUS,
  WIFEXITED,
  WNOHANG,
  WTERMSIG,
  close,
  socketpair,
  systemError,
  waitpid,
} from '#posix'
import { cString, libc } from '../../snippets/posix/platform.ts'

const calls = {
  spawnp: libc.func('int posix_spawnp(void *, const char *, void *, void *, const char **, const char **)'),
  actionsInit: libc.func('int posix_spawn_file_actions_init(void *)'),
  actionsDup2: libc.func('int posix_spawn_file_actions_adddup2(void *, int, int)'),
  actionsChdir: libc.func('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
  actionsDestroy: libc.func('int posix_spawn_file_actions_destroy(void *)'),
  attrInit: libc.func('int posix_spawnattr_init(void *)'),
  attrFlags: libc.func('int posix_spawnattr_setflags(void *, short)'),
  attrDefault: libc.func('int posix_spawnattr_setsigdefault(void *, const void *)'),
  attrMask: libc.func('int posix_spawnattr_setsigmask(void *, const void *)'),
}

const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08

/** More bytes than glibc has in a posix_spawn_file_actions_t (80 on x86-64) or a posix_spawnattr_t (336). */
const ROOM = 512

/** As libuv has it: a child ignores no signal and holds none back, whatever this process does. */
const attributes = Buffer.alloc(ROOM)
done(calls.attrInit(attributes), 'posix_spawnattr_init')
done(calls.attrFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK), 'posix_spawnattr_setflags')
done(calls.attrDefault(attributes, new Uint8Array(128).fill(0xff)), 'posix_spawnattr_setsigdefault')
done(calls.attrMask(attributes, new Uint8Array(128)), 'posix_spawnattr_setsigmask')

/** These calls return the errno and do not set it. posix_spawn(3) */
function done(result: unknown, what: string): void {
  if (result !== 0) throw systemError(what, -(result as number))
}

/** Starts a child: see `spawn` in spawn.ts. */
export function posixSpawn(command: Command): Child {
  const open = new Set<number>()
  watch() // before there is a child that may end
  try {
    const [stdin, stdout, stderr] = [pair(open), pair(open), pair(open)]
    const pid = start(command, [stdin.theirs, stdout.theirs, stderr.theirs])
    for (const { ours } of [stdin, stdout, stderr]) open.delete(ours) // a Socket's from here on
    return child(pid, {
      stdin: new Socket({ fd: stdin.ours, readable: false, writable: true }),
      stdout: new Socket({ fd: stdout.ours, readable: true, writable: false }),
      stderr: new Socket({ fd: stderr.ours, readable: true, writable: false }),
    })
  } finally {
    for (const fd of open) close(fd) // the child's ends, or all of them where there is no child
    unwatch()
  }
}

/**
 * Two ends that no other child inherits, whoever starts it. Sockets and not a pipe, since that is what libuv gives a child: a pipe has room
 * for many times as many short lines before it is full, and what a program does that nobody reads would be another thing.
 */
function pair(open: Set<number>): { ours: number; theirs: number } {
  const [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  open.add(ours).add(theirs)
  return { ours, theirs }
}

const pidOut = new Int32Array(1)

/** Returns the id of a process that runs the command with these descriptors for 0, 1 and 2; dup2 takes FD_CLOEXEC off its copy. */
function start({ file, args, cwd, env = process.env }: Command, stdio: readonly number[]): number {
  const variables = Object.entries(env).filter(([, value]) => value !== undefined)
  const argv = [...[file, ...args].map(cString), null]
  const envp = [...variables.map(([name, value]) => cString(`${name}=${value}`)), null]
  const actions = Buffer.alloc(ROOM)
  done(calls.actionsInit(actions), 'posix_spawn_file_actions_init')
  try {
    // Node sees to it that it has 0, 1 and 2 itself, so that none of ours is one of those, to be replaced before its turn.
    for (const [i, fd] of stdio.entries()) {
      done(calls.actionsDup2(actions, fd, i), 'posix_spawn_file_actions_adddup2')
    }
    if (cwd !== undefined) done(calls.actionsChdir(actions, cString(cwd)), 'posix_spawn_file_actions_addchdir_np')
    const result = calls.spawnp(pidOut, file, actions, attributes, argv, envp)
    // It does not tell which of its steps has failed.
    done(result, cwd !== undefined && !canEnter(cwd) ? `chdir ${cwd}` : `spawn ${file}`)
    return pidOut[0]!
  } finally {
    calls.actionsDestroy(actions)
  }
}

function canEnter(folder: string): boolean {
  try {
    accessSync(`${folder}/.`, modes.X_OK)
    return true
  } catch {
    return false
  }
}

interface Streams {
  stdin: Socket
  stdout: Socket
  stderr: Socket
}

/** What spawn returns of a process that has been started. Whatever child_process does at its end is done here. */
function child(pid: number, { stdin, stdout, stderr }: Streams): Child {
  let running = true
  stdin.on('error', () => {})
  const closed = Promise.all(
    [stdin, stdout, stderr].map((stream) => new Promise<void>((resolve) => stream.once('close', () => resolve()))),
  )
  const exited = new Promise<Exit>((resolve, reject) => {
    unnoticed.set(pid, (exit) => {
      running = false
      stdin.destroy() // nobody will read it
      for (const stream of [stdout, stderr]) {
        if (stream.readableFlowing === null) stream.resume() // or it would not come to its end
      }
      if (exit instanceof Error) reject(exit)
      else resolve(exit)
    })
  })
  return {
    pid,
    stdin,
    stdout,
    stderr,
    ended: exited.then(async (exit) => {
      await closed
      return exit
    }),
    running: () => running,
    kill(signal) {
      if (running) process.kill(pid, signal) // a zombie keeps its id until it is waited for
    },
  }
}

/** Our children whose end is not known yet, and whom to tell. */
const unnoticed = new Map<number, (exit: Exit | Error) => void>()

/** Keeps the loop alive while there are any, which a listener for signals does not. */
let alive: NodeJS.Timeout | undefined

/** Has one listener for all of them. It hears of an end in a later turn of the loop, so that who has started a child can listen first. */
function watch(): void {
  if (alive !== undefined) return
  process.on('SIGCHLD', notice)
  alive = setInterval(() => {}, 2 ** 31 - 1)
}

function unwatch(): void {
  if (unnoticed.size > 0) return
  process.off('SIGCHLD', notice)
  clearInterval(alive)
  alive = undefined
}

/**
 * Waits for each of ours by its id, and for no others: libuv does so with its own as well (uv__wait_children), so that neither takes
 * an end from the other. One SIGCHLD may stand for several.
 */
function notice(): void {
  for (const [pid, tell] of unnoticed) {
    const exit = exitOf(pid)
    if (exit === undefined) continue
    unnoticed.delete(pid)
    tell(exit)
  }
  unwatch()
}

/** The signals by their numbers. Where two have one, Node says the first. */
const signals = new Map<number, NodeJS.Signals>()
for (const [name, number] of Object.entries(constants.signals)) {
  if (!signals.has(number)) signals.set(number, name as NodeJS.Signals)
}

/** How a child has ended; undefined as long as it runs. */
function exitOf(pid: number): Exit | Error | undefined {
  try {
    const waited = waitpid(pid, WNOHANG)
    if (waited.pid === 0) return undefined
    return WIFEXITED(waited.status)
      ? { status: WEXITSTATUS(waited.status), signal: null }
      : { status: null, signal: signals.get(WTERMSIG(waited.status)) ?? null }
  } catch (error) {
    return error as Error // ECHILD: somebody else has waited for it
  }
}
