// A stage: where a scenario starts programs and peers by name, and which proves at the end that nothing is left of them.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { join } from 'node:path'
import { processesWith, socketsOf } from './leaks.ts'
import { type Peer, connectPeer, peerOf } from './peer.ts'
import { type Address, type Program, type ProgramOptions, startProgram } from './program.ts'
import { stopped } from './stopped.ts'
import { type Transcript, createTranscript } from './transcript.ts'
import { within } from './within.ts'

export interface Stage {
  readonly transcript: Transcript
  /** Starts a program of the stage's folder by its file name. */
  start(lane: string, file: string, ...args: (string | number)[]): Program
  /** start, and waits until it listens. */
  serve(lane: string, file: string, ...args: (string | number)[]): Promise<Program>
  /** A program of another page as a server for this one's: in its own folder, also where this page's are copies. */
  servePeer(lane: string, slug: string, file: string, ...args: (string | number)[]): Promise<Program>
  /** start, with a text on its standard input: `printf TEXT | node FILE`. */
  pipe(lane: string, text: string, file: string, ...args: (string | number)[]): Program
  /** start, and waits for its end; a status other than 0 is an error. */
  run(lane: string, file: string, ...args: (string | number)[]): Promise<void>
  /** Connects a peer that the scenario drives. */
  connect(lane: string, to: Program | Address): Promise<Peer>
  /** A server whose side of each connection the scenario drives. */
  listen(lane: string): Promise<Listener>
  /** A peer from a socket that the scenario already has. */
  peer(lane: string, socket: Socket): Peer
  /** Ends what still runs and throws if anything is left: a process, a port, a descriptor. Lines that a server
   * prints as its clients are taken away from it are nobody's. */
  close(): Promise<void>
}

export interface Listener {
  readonly address: Address
  /** The next connection, as a peer in the lane of the listener. */
  accept(): Promise<Peer>
}

export interface StageOptions {
  /** The folder that holds the programs. */
  folder: string
  /** What stands before the command of each; see namespace.ts. */
  prefix?: readonly string[]
  /** What runs them: node and its flags; this process's node by default. */
  node?: readonly string[]
}

/** The programs of all pages, each in the folder of its slug. */
const snippets = join(import.meta.dirname, '..', '..', 'snippets')

type Args = readonly (string | number)[]

const thisNode: readonly string[] = [process.execPath]

export function createStage({ folder, prefix = [], node = thisNode }: StageOptions): Stage {
  const mark = `LIVE_SOCKETS_STAGE=${randomUUID()}`
  const env = { ...environment(), LIVE_SOCKETS_STAGE: mark.slice(mark.indexOf('=') + 1) }
  const transcript = createTranscript()
  const programs: Program[] = []
  const peers: Peer[] = []
  const listeners: Server[] = []
  const socketsBefore = new Set(socketsOf('self'))

  function startIn(
    place: Pick<ProgramOptions, 'folder' | 'node'>,
    lane: string,
    file: string,
    args: Args,
    input?: string,
  ) {
    const command = [...prefix, ...place.node]
    const program = startProgram({
      ...place,
      node: command,
      lane,
      file,
      args: args.map(String),
      env,
      transcript,
      input,
    })
    programs.push(program)
    return program
  }

  const stage: Stage = {
    transcript,
    start(lane, file, ...args) {
      return startIn({ folder, node }, lane, file, args)
    },
    pipe(lane, text, file, ...args) {
      return startIn({ folder, node }, lane, file, args, text)
    },
    async servePeer(lane, slug, file, ...args) {
      const program = startIn({ folder: join(snippets, slug), node: thisNode }, lane, file, args)
      await program.listening()
      return program
    },
    async serve(lane, file, ...args) {
      const program = stage.start(lane, file, ...args)
      await program.listening()
      return program
    },
    async run(lane, file, ...args) {
      const program = stage.start(lane, file, ...args)
      const { status, signal } = await within(program.ended, `the end of ${lane} (${file})`)
      if (status === 0) {
        for (const line of program.unawaited()) transcript.add(lane, '│', line)
        return
      }
      throw new Error(`${lane} (${file}) ended with ${signal ?? `status ${status}`}: ${program.unawaited().join(' ')}`)
    },
    async connect(lane, to) {
      const peer = await connectPeer(lane, 'address' in to ? to.address : to, transcript)
      peers.push(peer)
      return peer
    },
    async listen(lane) {
      const server = createServer({ allowHalfOpen: true })
      listeners.push(server)
      const arrived: Peer[] = []
      let wake = () => {}
      server.on('connection', (socket) => {
        arrived.push(stage.peer(lane, socket))
        wake()
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { address: host, port } = server.address() as AddressInfo
      transcript.ports.add(port)
      return {
        address: { host, port },
        async accept() {
          if (arrived.length === 0) await within(new Promise<void>((resolve) => (wake = resolve)), `${lane} to accept`)
          transcript.add(lane, '─', 'accept')
          return arrived.shift()!
        },
      }
    },
    peer(lane, socket) {
      const peer = peerOf(lane, socket, transcript)
      peers.push(peer)
      return peer
    },
    async close() {
      const problems: string[] = []
      for (const server of listeners) server.close()
      for (const peer of peers) await peer.destroy().catch((reason: Error) => problems.push(reason.message))
      for (const program of programs) {
        const judged = program.running() || program.endedUnasked()
        const exit = await stopped(program, 'SIGTERM').catch((reason: Error) => reason)
        if (exit instanceof Error) {
          problems.push(exit.message)
          program.kill('SIGKILL')
          await program.ended
        } else if (judged && mustOutlivePeers(program) && exit.status !== 0 && exit.signal !== 'SIGTERM') {
          problems.push(`${program.lane} ended with ${exit.signal ?? `status ${exit.status}`} on SIGTERM`)
        }
      }
      for (const pid of processesWith(mark, programs[0]?.pid)) {
        problems.push(`process ${pid} is left`)
        process.kill(pid, 'SIGKILL')
      }
      for (const program of programs) {
        if (program.listens()) problems.push(`somebody still listens on port ${program.address.port}`)
      }
      const left = socketsOf('self').filter((socket) => !socketsBefore.has(socket))
      if (left.length > 0) problems.push(`${left.length} sockets of the test are still open`)
      if (problems.length > 0) throw new Error(problems.join('\n'))
    },
  }
  return stage
}

/**
 * Whether it must still be there for the signal when its peers have been taken away. A client need not, for its server may have been one
 * of them, nor a program that is wrong on purpose.
 */
function mustOutlivePeers(program: Program): boolean {
  return !program.file.endsWith('.broken.ts') && hasAddress(program)
}

function hasAddress(program: Program): boolean {
  try {
    return program.address.port > 0
  } catch {
    return false
  }
}

/** A reader's environment: the test runner's own variables stay out. What Node compiles is kept, see compile-cache.ts. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_(?!COMPILE_CACHE)|TEST|VITE_|npm_)/.test(name),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1' }
}
