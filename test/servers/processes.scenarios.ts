import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { untilWaitsIn } from '../support/blocked.ts'
import { descendants } from '../support/leaks.ts'
import type { Program } from '../support/program.ts'
import { type Scenarios, alone } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'
import { until, within } from '../support/within.ts'

export const scenarios: Scenarios = {
  async 'process-server'(stage) {
    const server = await stage.serve('server', 'process-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('olleh')
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\na last lin')
    await second.halfClose()
    await second.receive('oot emnil tsal a')
    await second.receiveEnd()
    await server.line()
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await first.receiveEnd()
    await server.line()
    await server.exit()
  },

  'why-not-fork': alone('why-not-fork.ts'),

  inherited: alone('inherited.ts'),

  async 'reverse-lines'(stage) {
    const program = stage.pipe('program', 'hello\nme too\na last lin', 'reverse-lines.ts')
    await program.exit()
  },

  async 'a-crash'(stage) {
    const server = await stage.serve('server', 'process-server.ts', 0)
    const first = await stage.connect('client 1', server)
    const child = pidIn(await server.line())
    const second = await stage.connect('client 2', server)
    await server.line()
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('olleh')
    }
    signal(stage, "client 1's process", child, 'SIGSEGV')
    await first.receiveEnd()
    await server.line()
    await second.send('still there\n')
    await second.receive('ereht llits')
  },

  async 'the-limit'(stage) {
    const server = await stage.serve('server', 'process-server.ts', 0, '127.0.0.1', 2)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const third = await stage.connect('client 3', server)
    await third.send('me too\n')
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('olleh')
    }
    third.nothingYet()
    await first.close()
    await server.lines(2)
    await third.receive('oot em')
  },

  async 'failed-spawn'(stage) {
    const server = await stage.serve('server', 'process-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('olleh')
    const restore = leaveOneDescriptor(stage, server)
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.receiveEnd()
    await first.send('still there\n')
    await first.receive('ereht llits')
    restore()
    const third = await stage.connect('client 3', server)
    await server.line()
    await third.send('me too\n')
    await third.receive('oot em')
  },

  async zombies(stage) {
    const server = await stage.serve('server', 'zombies.broken.ts', 0)
    stage.transcript.add('clients', '─', 'ten connect, one after another, and leave')
    for (let i = 0; i < 10; i++) await comeAndGo(server)
    await children(stage, server, { running: 0, zombies: 10 })
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await server.exit()
  },

  async 'late-reaper'(stage) {
    const server = await stage.serve('server', 'late-reaper.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.send('hello\n')
    await first.receive('hello\n')
    await first.close()
    await children(stage, server, { running: 0, zombies: 1 })
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\n')
    await second.receive('me too\n')
    await children(stage, server, { running: 1, zombies: 0 })
    const ended = stillRunning(server)
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await server.exit()
    await second.send('is anybody there?\n')
    await second.receive('is anybody there?\n')
    await second.close()
    await ended()
  },

  async 'kept-copy'(stage) {
    const server = await stage.serve('server', 'kept-copy.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('hello\n')
    await client.receive('hello\n')
    await client.halfClose()
    await server.line()
    client.nothingYet()
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await client.receiveEnd()
    await server.exit()
  },

  async 'leaked-listener'(stage) {
    const server = await stage.serve('server', 'leaked-listener.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('hello\n')
    await client.receive('hello\n')
    const ended = stillRunning(server)
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await server.exit()
    const again = stage.start('again', 'leaked-listener.broken.ts', server.address.port)
    await again.errorLine()
    await again.exit()
    await client.close()
    await ended()
    const third = await stage.serve('a third', 'leaked-listener.broken.ts', server.address.port)
    third.kill('SIGTERM')
    await third.exit()
  },

  async unlimited(stage) {
    const server = await stage.serve('server', 'unlimited.broken.ts', 0)
    stage.transcript.add('clients', '─', 'ten connect, and are silent')
    const silent = Array.from({ length: 10 }, () => connect(server.address))
    await within(Promise.all(silent.map((socket) => once(socket, 'connect'))), 'ten connections')
    await children(stage, server, { running: 10, zombies: 0 })
    await untilWaitsIn('accept', server.pid, server.lane)
    leaveOneDescriptor(stage, server)
    const ended = stillRunning(server)
    const one = await stage.connect('one more', server)
    await one.receiveEnd()
    await server.line()
    await server.exit()
    for (const socket of silent) socket.destroy()
    await within(Promise.all(silent.map((socket) => once(socket, 'close'))), 'ten clients to leave')
    await ended()
  },

  'two-queues': alone('two-queues.ts'),

  async 'prefork-server'(stage) {
    const server = await stage.serve('server', 'prefork-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const third = await stage.connect('client 3', server)
    await third.send('me too\n')
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('olleh')
    }
    third.nothingYet()
    await second.close()
    await server.lines(2)
    await third.receive('oot em')
    await third.close()
    await server.line()
    await first.close()
    await server.line()
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await server.exit()
  },

  async 'prefork-crash'(stage) {
    const server = await stage.serve('server', 'prefork-server.ts', 0, '127.0.0.1', 1)
    const first = await stage.connect('client 1', server)
    const worker = pidIn(await server.line())
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    signal(stage, 'the worker', worker, 'SIGKILL')
    await first.receiveEnd()
    await server.line()
    await server.line()
    await second.receive('oot em')
  },

  async 'reuseport-server'(stage) {
    const server = await stage.serve('server', 'reuseport-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\n')
    await second.receive('oot em')
    await first.send('hello\n')
    await first.receive('olleh')
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await first.receiveEnd()
    await second.receiveEnd()
    await server.exit()
  },

  async 'fork-handles-node'(stage) {
    const server = await stage.serve('server', 'fork-handles-node.ts', 0)
    const [, second] = await twoClients(stage, server)
    await second.send('me too\n')
    await second.receive('oot em')
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await second.receiveEnd()
    await server.exit()
  },

  async 'taken-over'(stage) {
    const server = await stage.serve('server', 'fork-handles-node.ts', 0)
    const [worker] = await twoClients(stage, server)
    signal(stage, "client 1's worker", worker, 'SIGSTOP')
    const third = await stage.connect('client 3', server)
    await third.send('hello\n')
    const fourth = await stage.connect('client 4', server)
    await server.line()
    await fourth.send('me too\n')
    await fourth.receive('oot em')
    third.nothingYet()
    signal(stage, "client 1's worker", worker, 'SIGKILL')
    await server.lines(2)
    await third.receive('olleh')
  },

  async 'cluster-server-node'(stage) {
    const server = await stage.serve('server', 'cluster-server-node.ts', 0)
    const [, second] = await twoClients(stage, server)
    await second.send('me too\n')
    await second.receive('oot em')
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await second.receiveEnd()
    await server.exit()
  },

  async 'lost-on-the-way'(stage) {
    const server = await stage.serve('server', 'cluster-server-node.ts', 0)
    const [worker] = await twoClients(stage, server)
    signal(stage, "client 1's worker", worker, 'SIGSTOP')
    const third = await stage.connect('client 3', server)
    await third.send('hello\n')
    const fourth = await stage.connect('client 4', server)
    await server.line()
    await fourth.send('me too\n')
    await fourth.receive('oot em')
    signal(stage, "client 1's worker", worker, 'SIGKILL')
    await server.line()
    for (const name of ['client 5', 'client 6']) {
      const client = await stage.connect(name, server)
      await server.line()
      await client.send('hello\n')
      await client.receive('olleh')
    }
    third.nothingYet()
  },

  async 'exercise-inetd'(stage) {
    const server = await stage.serve('server', 'exercise-inetd.ts', 0, '127.0.0.1', 'sort', '-r')
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('one\ntwo\nthree\n')
    await client.halfClose()
    await client.receive('two\nthree\none\n')
    await client.receiveEnd()
    await server.line()
  },

  async 'exercise-limits'(stage) {
    const server = await stage.serve('server', 'exercise-limits.ts', 0, '127.0.0.1', 1000)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const third = await stage.connect('client 3', server)
    await server.line()
    await third.receiveEnd()
    await first.receiveEnd()
    await second.receiveEnd()
    await server.lines(2)
  },

  async 'exercise-restart'(stage) {
    const server = await stage.serve('server', 'exercise-restart.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('olleh')
    stage.transcript.add('server', '─', 'SIGHUP')
    server.kill('SIGHUP')
    await server.lines(2)
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\n')
    await second.receive('oot em')
    await first.send('still there\n')
    await first.receive('ereht llits')
    await first.close()
    await server.line()
  },
}

/** The process id that a line of a server's log begins with. */
function pidIn(line: string): number {
  return Number(/^pid (\d+)/.exec(line)![1])
}

/** Sends a signal to a process that a server has started. */
function signal(stage: Stage, whose: string, pid: number, name: NodeJS.Signals): void {
  stage.transcript.add(whose, '─', name)
  process.kill(pid, name)
}

/** Two clients that are served; the process of the first. */
async function twoClients(stage: Stage, server: Program) {
  const first = await stage.connect('client 1', server)
  const worker = pidIn(await server.line())
  await first.send('hello\n')
  await first.receive('olleh')
  const second = await stage.connect('client 2', server)
  await server.line()
  return [worker, second] as const
}

/** A client that connects, gets its echo, and leaves, unrecorded. */
async function comeAndGo(server: Program): Promise<void> {
  const socket = connect(server.address)
  socket.end('hello\n')
  socket.resume()
  await within(once(socket, 'close'), 'a client to leave')
}

/** The state of a process if it is a cat, a letter. proc_pid_stat(5). On Node 20, tsx has a child of its own. */
function stateOf(pid: number): string | undefined {
  try {
    return /^\d+ \(cat\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]
  } catch {
    return undefined
  }
}

/** Waits until the children of a server are so many, and records it. */
async function children(stage: Stage, { pid, lane }: Program, due: { running: number; zombies: number }) {
  const count = () => {
    const states = descendants(pid).flatMap((child) => stateOf(child) ?? [])
    const zombies = states.filter((state) => state === 'Z').length
    return { running: states.length - zombies, zombies }
  }
  await until(
    () => count().running === due.running && count().zombies === due.zombies,
    `${due.running} running children and ${due.zombies} zombies`,
  )
  stage.transcript.add(lane, '─', `its children in /proc: running ${due.running}, zombies ${due.zombies}`)
}

/** The children that a server has now; the result waits for their end, which may come after the server's. */
function stillRunning({ pid }: Program): () => Promise<void> {
  const pids = descendants(pid)
  const ended = (one: number) => [undefined, 'Z', 'X'].includes(stateOf(one))
  return () => until(() => pids.every(ended), 'the children of a server to end')
}

/** Leaves a program one free descriptor, for the client that comes next; the result takes that back. prlimit(1) */
function leaveOneDescriptor(stage: Stage, { pid, lane }: Program): () => void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let free = 0
  while (open.has(free)) free++
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))![1]
  const limit = (soft: number | string) => execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:${hard}`])
  limit(free + 1)
  stage.transcript.add(lane, '─', 'may open one more descriptor')
  return () => {
    limit(hard!)
    stage.transcript.add(lane, '─', 'may open descriptors again')
  }
}
