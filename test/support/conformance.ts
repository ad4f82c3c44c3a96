// What every server of this book has to stand, written once. A page's test says what its server promises:
//
//   conformance({ slug: 'servers/iterative', file: 'reversing-server.ts', model: 'iterative', stop: 'default', reply: reversed })
//
// One server goes through all that its clients do, test after test, as a server does in its life; what concerns its start and its
// end has servers of its own. Each test ends with the proof that nothing is left of what it started.

import { networkInterfaces } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { untilStopped } from './blocked.ts'
import { FLOOD, FLOOD_LINE, flood, read, reluctantClient, reset, sendUnread } from './flood.ts'
import { descendants, descriptorCount, listenersAt, residentMemory, socketsOf, threadCount, unread } from './leaks.ts'
import type { Peer } from './peer.ts'
import type { Program } from './program.ts'
import { programsOf, testsOf } from './recordings.ts'
import { type Exit, type Outcome, runToEnd } from './spawn.ts'
import { type Stage, createStage } from './stage.ts'
import { stopped } from './stopped.ts'
import { LIMIT, until } from './within.ts'

export interface Promises {
  /** The page, and with it the folder of the program: `servers/iterative`. */
  slug: string
  /** The program's file name. */
  file: string
  /** What stands before PORT and HOST on its command line. */
  args?: readonly string[]
  /** The bytes that are due for a line; the line comes without its newline. */
  reply: (line: Buffer) => Buffer
  /** The bytes that are due for a last line that lacks its newline; `reply` by default. */
  replyToRest?: (rest: Buffer) => Buffer
  /**
   * How a text goes over the wire: each of its lines as a message, a last one that lacks its newline as the beginning of a message. By
   * default as it is.
   */
  encode?: (text: Buffer) => Buffer
  /** What a client receives before it has sent anything. */
  greeting?: string
  /** Whether one client is served at a time, or all side by side. */
  model: 'iterative' | 'concurrent'
  /** How it ends on SIGTERM and SIGINT: killed by the signal, or with status 0 after it has closed in order. */
  stop: 'default' | 'orderly'
  /** The longest line it takes, in bytes, the newline included. Left out where there is no limit, as in an echo server. */
  lineMax?: number
  /** Whether it refuses a line by its length, before it has read it: what stays unread is answered by a reset, which may cost replies. */
  refusesUnread?: boolean
  /** How many clients are connected at once; 200 by default. */
  clientsAtOnce?: number
  /** How many clients come and go before descriptors, processes and threads are counted again; 30 by default. */
  clientsInTurn?: number
  /**
   * The program that is known to start and to end as this one does, because the page's test compares their texts. Then what concerns
   * start and end is not tested once more.
   */
  opensLike?: string
}

/** How much a server's memory may grow while a client sends and does not read. Kernel buffers do not count in it. */
const GROWTH_LIMIT = 64 * 1024 * 1024

const NEWLINE = Buffer.from('\n')
/** Bytes: more than the kernels hold for a reluctant client, and less than what makes a stream of Node ask for a pause, 64 KiB. */
const UNREAD = 62_000
const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

export function conformance(promises: Promises): void {
  const { slug, file, args = [], reply, greeting = '', model, stop, lineMax, clientsAtOnce = 200, opensLike } = promises
  const { clientsInTurn = 30, refusesUnread = false } = promises
  const startAndEnd = opensLike === undefined ? describe : () => {}
  const { replyToRest = reply, encode = (text: Buffer) => text } = promises
  const test = testsOf(slug)

  const wire = (text: string | Buffer): Buffer => encode(Buffer.from(text))
  const floodLine = wire(FLOOD_LINE)
  const serve = (stage: Stage): Promise<Program> => stage.serve('server', file, ...args, 0)

  const line = Buffer.from(`${'abc'.repeat(9)}\n`)
  const manyLines = Buffer.alloc(line.length * Math.floor(UNREAD / replies(line).length), line)

  /** A client that has been greeted; with an iterative server, one that is being served. */
  async function client(stage: Stage, server: Program, lane = 'client'): Promise<Peer> {
    const peer = await stage.connect(lane, server)
    peer.socket.setNoDelay(true) // each send is a segment of its own
    await peer.receive(greeting)
    return peer
  }

  /** Sends a text and receives what is due for its lines. */
  async function exchange(peer: Peer, text: string | Buffer): Promise<void> {
    await peer.send(wire(text))
    await peer.receive(replies(Buffer.from(text)))
  }

  /** What a line is on the wire, in two pieces. */
  function halves(text: string): [Buffer, Buffer] {
    const bytes = wire(text)
    const middle = bytes.length >> 1
    return [bytes.subarray(0, middle), bytes.subarray(middle)]
  }

  /** A client comes, is served, and leaves: the server is in order. */
  async function nextClientIsServed(stage: Stage, server: Program): Promise<void> {
    const peer = await client(stage, server, 'next client')
    await exchange(peer, 'the next one\n')
    await peer.halfClose()
    await peer.receiveEnd()
    expect(server.running()).toBe(true)
  }

  function replies(text: Buffer): Buffer {
    const due: Buffer[] = []
    let start = 0
    for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
      due.push(reply(Buffer.from(text.subarray(start, end))))
      start = end + 1
    }
    return Buffer.concat(due)
  }

  describe(`${[file, ...args].join(' ')} keeps the promises of its kind`, () => {
    let house: Stage
    let server: Program

    beforeAll(async () => {
      house = createStage({ folder: programsOf(slug) })
      server = await serve(house)
      server.ignoreOutput()
    })

    afterAll(async () => {
      await house.close()
    })

    describe('lines', () => {
      test('greets, answers a line, and another', async ({ stage }) => {
        const peer = await client(stage, server)
        await exchange(peer, 'hello\n')
        await exchange(peer, 'how are you\r\n')
        await exchange(peer, '\n')
        await exchange(peer, 'goodbye\n')
      })

      test('answers several lines that come in one segment', async ({ stage }) => {
        const peer = await client(stage, server)
        await exchange(peer, 'ab\ncd\n\nefg\n')
      })

      test('puts a line together from any two pieces', async ({ stage }) => {
        const peer = await client(stage, server)
        const text = 'hello\nab\n'
        const bytes = wire(text)
        for (let cut = 1; cut < bytes.length; cut++) {
          await peer.send(bytes.subarray(0, cut))
          await whenRead(peer)
          await peer.send(bytes.subarray(cut))
          await peer.receive(replies(Buffer.from(text)))
        }
      })

      test('puts a line together from single bytes', async ({ stage }) => {
        const peer = await client(stage, server)
        const text = 'a byte at a time\nand again\n'
        for (const byte of wire(text)) {
          await peer.send(Buffer.of(byte))
          await whenRead(peer)
        }
        await peer.receive(replies(Buffer.from(text)))
      })

      test('takes every byte for what it is, the zero byte too', async ({ stage }) => {
        const peer = await client(stage, server)
        const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== NEWLINE[0])
        await exchange(peer, Buffer.from([...bytes, ...NEWLINE]))
        await exchange(peer, 'ab\0cd\n')
      })

      test('answers a megabyte of lines while they are being sent', async ({ stage }) => {
        const peer = await client(stage, server)
        await exchange(peer, megabyte())
        await exchange(peer, 'and one more\n')
      })

      if (lineMax !== undefined) {
        test('answers a line as long as it may be', async ({ stage }) => {
          const peer = await client(stage, server)
          const longest = Buffer.alloc(lineMax - 1, 'abc')
          await exchange(peer, Buffer.concat([longest, NEWLINE]))
          await exchange(peer, Buffer.concat([Buffer.from('first\n'), longest, NEWLINE, Buffer.from('last\n')]))
        })

        test('answers the lines before one that is too long, and closes', async ({ stage }) => {
          const peer = await client(stage, server)
          await peer.send(wire(Buffer.concat([Buffer.from('first\n'), Buffer.alloc(lineMax, 'abc')])))
          await peer.receive(replies(Buffer.from('first\n')))
          await peer.receiveEndOrReset()
          await peer.destroy()
          await nextClientIsServed(stage, server)
        })

        const late = refusesUnread ? () => {} : test
        late('answers all lines before one that is too long, also if the client reads late', async ({ stage }) => {
          const peer = stage.peer('client', reluctantClient(server.address))
          await sendUnread(server, peer.socket, wire(Buffer.concat([manyLines, Buffer.alloc(lineMax, 'abc')])))
          peer.socket.resume()
          await peer.receive(Buffer.concat([Buffer.from(greeting), replies(manyLines)]))
          await peer.receiveEndOrReset()
          await nextClientIsServed(stage, server)
        })
      }
    })

    describe('ends', () => {
      test('answers what came before a half-close, the rest of a line too, then closes', async ({ stage }) => {
        const peer = await client(stage, server)
        await peer.send(wire('one\ntwo\nthr'))
        await peer.halfClose()
        await peer.receive(Buffer.concat([replies(Buffer.from('one\ntwo\n')), replyToRest(Buffer.from('thr'))]))
        await peer.receiveEnd()
        await nextClientIsServed(stage, server)
      })

      test('answers a megabyte that a half-close follows at once', async ({ stage }) => {
        const peer = await client(stage, server)
        const text = megabyte()
        peer.socket.end(wire(text))
        await peer.receive(replies(text))
        await peer.receiveEnd()
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that connects, sends nothing, and leaves', async ({ stage }) => {
        const peer = await client(stage, server)
        await peer.halfClose()
        await peer.receiveEnd()
        await (await stage.connect('client', server)).close()
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that closes without having read its answers', async ({ stage }) => {
        for (let round = 0; round < 5; round++) {
          const peer = await client(stage, server)
          await peer.send(wire('ab\n'.repeat(1000)))
          await peer.destroy()
        }
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that is idle and resets', async ({ stage }) => {
        const peer = await client(stage, server)
        await exchange(peer, 'hello\n')
        await peer.reset()
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that resets in the middle of a line', async ({ stage }) => {
        const peer = await client(stage, server)
        await peer.send(wire('hel'))
        await whenRead(peer)
        await peer.reset()
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that resets before it is accepted', async ({ stage }) => {
        const all = acceptors(server)
        expect(all.length).toBeGreaterThan(0)
        for (const pid of all) process.kill(pid, 'SIGSTOP')
        for (const pid of all) await untilStopped(pid, 'the server')
        const hasty = await stage.connect('hasty client', server)
        await hasty.send(wire('hello\n'))
        await hasty.reset()
        for (const pid of all) process.kill(pid, 'SIGCONT')
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that resets after it has ended its direction', async ({ stage }) => {
        const peer = await client(stage, server)
        await peer.send(wire('hello\nhel'))
        await peer.halfClose()
        await peer.reset()
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that resets after it has ended its direction, and has read nothing', async ({
        stage,
      }) => {
        const peer = stage.peer('client', reluctantClient(server.address))
        await sendUnread(server, peer.socket, wire(manyLines))
        await peer.halfClose()
        await peer.reset()
        await nextClientIsServed(stage, server)
      })

      test('has as many descriptors, processes and threads as before, once its clients have gone', async ({
        stage,
      }) => {
        const server = await serve(stage)
        const first = await client(stage, server, 'first client')
        await exchange(first, 'count\n')
        const before = belongings(server)
        await first.halfClose()
        await first.receiveEnd()
        for (let round = 0; round < clientsInTurn; round++) {
          const peer = await client(stage, server)
          await exchange(peer, 'hello\n')
          if (round % 3 === 0) await peer.reset()
          else if (round % 3 === 1) await peer.destroy()
          else {
            await peer.halfClose()
            await peer.receiveEnd()
          }
        }
        // What serves a client may end a moment after the client has seen the end, and a zombie waits for the next client.
        const limit = performance.now() + LIMIT
        for (;;) {
          const last = await client(stage, server, 'last client')
          await exchange(last, 'count\n')
          const now = belongings(server)
          if (isDeepStrictEqual(now, before)) break
          if (performance.now() > limit) expect(now).toEqual(before)
          await last.halfClose()
          await last.receiveEnd()
        }
      })
    })

    describe('slow clients', () => {
      test('holds a bounded part of what a client sends that does not read, and answers all once it reads', async ({
        stage,
      }) => {
        await nextClientIsServed(stage, server)
        const before = largest(server)
        const { socket, sent } = await flood(server, floodLine)
        const growth = largest(server) - before
        expect(sent).toBeLessThan(FLOOD)
        expect(growth).toBeLessThan(GROWTH_LIMIT)
        const answer = replies(FLOOD_LINE)
        const answers = Buffer.alloc((answer.length * sent) / floodLine.length, answer)
        const received = await read(socket, greeting.length + answers.length)
        expect(received.equals(Buffer.concat([Buffer.from(greeting), answers]))).toBe(true)
        await reset(socket)
        await nextClientIsServed(stage, server)
      })

      test('outlives a client that resets while the server sends to it', async ({ stage }) => {
        const { socket } = await flood(server, floodLine)
        await reset(socket)
        await nextClientIsServed(stage, server)
      })
    })

    describe('many clients', () => {
      if (model === 'concurrent') {
        test(`serves ${clientsAtOnce} clients side by side`, async ({ stage }) => {
          const names = Array.from({ length: clientsAtOnce }, (_, index) => `client ${index + 1}`)
          const peers = await Promise.all(names.map((name) => client(stage, server, name)))
          // A piece of a line from each, then the rest of it in the opposite order: what different clients send never mixes.
          for (const peer of peers) await peer.send(halves(`hello from ${peer.lane}\n`)[0])
          for (const peer of peers.toReversed()) {
            const text = `hello from ${peer.lane}\n`
            await peer.send(halves(text)[1])
            await peer.receive(replies(Buffer.from(text)))
          }
          expect(server.running()).toBe(true)
        })
      }

      if (model === 'concurrent') {
        test('serves a client while another is silent in the middle of a line', async ({ stage }) => {
          const silent = await client(stage, server, 'silent client')
          const [first, second] = halves('hello\n')
          await silent.send(first)
          await nextClientIsServed(stage, server)
          await silent.send(second)
          await silent.receive(replies(Buffer.from('hello\n')))
        })
      }

      if (model === 'iterative') {
        test(`lets ${clientsAtOnce} clients queue, and serves each in its turn`, async ({ stage }) => {
          const first = await client(stage, server, 'first client')
          const names = Array.from({ length: clientsAtOnce - 1 }, (_, index) => `client ${index + 2}`)
          const peers = await Promise.all(names.map((name) => stage.connect(name, server)))
          for (const peer of peers) {
            await peer.send(wire(`hello from ${peer.lane}\n`))
            await peer.halfClose()
          }
          await exchange(first, 'I am still here\n')
          for (const peer of peers) peer.nothingYet()
          await first.close()
          for (const peer of peers) {
            await peer.receive(greeting)
            await peer.receive(replies(Buffer.from(`hello from ${peer.lane}\n`)))
            await peer.receiveEnd()
          }
        })
      }
    })

    startAndEnd('the command line', () => {
      test('listens on the address it is given', async ({ stage }) => {
        const host = hasIPv6 ? '::1' : '127.0.0.2' // not the default
        const server = await stage.serve('server', file, ...args, 0, host)
        expect(server.address.host).toBe(host)
        await nextClientIsServed(stage, server)
      })

      test('says how it is used, and ends with status 2, when the port is none', async () => {
        const wrong = [[], ['abc'], ['70000'], ['0x10']]
        const runs = await Promise.all(wrong.map((list) => run(slug, [file, ...args, ...list])))
        for (const [index, { status, stdout, stderr }] of runs.entries()) {
          expect({ status, stdout, of: wrong[index] }).toEqual({ status: 2, stdout: '', of: wrong[index] })
          expect(stderr).toMatch(new RegExp(`^usage: node ${RegExp.escape(file)} .*PORT.*\\n$`))
        }
      })

      test('names the call and the reason when the port is taken', async () => {
        const { address } = server
        const { status, stdout, stderr } = await run(slug, [file, ...args, String(address.port)])
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
        // node:cluster leaves the words out.
        expect(stderr).toMatch(
          new RegExp(`^(bind|listen) EADDRINUSE(: address already in use)? 127\\.0\\.0\\.1:${address.port}\\n$`),
        )
      })

      test('names the call and the reason when the address is not of this host', async () => {
        const { status, stdout, stderr } = await run(slug, [file, ...args, '0', '192.0.2.1']) // TEST-NET-1, RFC 5737
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
        expect(stderr).toMatch(/^(bind|listen) EADDRNOTAVAIL(: .*)? 192\.0\.2\.1(:0)?\n$/)
      })
    })

    startAndEnd('stopping', () => {
      /** Stops it, and checks how long that takes and how it ends. */
      async function stops(server: Program, signal: NodeJS.Signals): Promise<void> {
        const exit = await stopped(server, signal)
        const due: Exit = stop === 'orderly' ? { status: 0, signal: null } : { status: null, signal }
        expect(exit).toEqual(due)
      }

      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        test(`stops on ${signal} under a client, takes its port again at once, and stops while it is idle`, async ({
          stage,
        }) => {
          const server = await serve(stage)
          const peer = await client(stage, server)
          await exchange(peer, 'hello\n')
          await stops(server, signal)
          await peer.receiveEnd() // no reset: nothing is lost
          await peer.close() // the server has closed first, so its side is in TIME_WAIT
          const again = await stage.serve('server', file, ...args, server.address.port)
          await nextClientIsServed(stage, again)
          await stops(again, signal)
        })
      }

      test('stops while a client does not read', async ({ stage }) => {
        const server = await serve(stage)
        const { socket } = await flood(server, floodLine)
        await stops(server, 'SIGTERM')
        await reset(socket)
      })
    })
  })
}

/** The processes of a server that may take a client: those that have its listening socket. */
function acceptors({ pid, address }: Program): number[] {
  const listening = new Set(listenersAt(address).map((inode) => `socket:[${inode}]`))
  return [pid, ...descendants(pid)].filter((one) => socketsOf(one).some((socket) => listening.has(socket)))
}

/** What a server has: its own descriptors, and the processes and threads of all that it has started, zombies too. */
function belongings({ pid }: Program): { descriptors: number; processes: number; threads: number } {
  const processes = [pid, ...descendants(pid)]
  return {
    descriptors: descriptorCount(pid),
    processes: processes.length,
    threads: processes.reduce((sum, one) => sum + threadCount(one), 0),
  }
}

/** The resident memory of the largest of a server's processes, in bytes. */
function largest({ pid }: Program): number {
  return Math.max(...[pid, ...descendants(pid)].map(residentMemory))
}

/** A megabyte of lines of all lengths from 0 to 1,447 bytes. */
function megabyte(): Buffer {
  const lines: string[] = []
  for (let length = 0; length < 1448; length++) lines.push(`${'abcdefghij'.repeat(145).slice(0, length)}\n`)
  return Buffer.from(lines.join(''))
}

/** Waits until the server has read all that the peer has sent. */
async function whenRead({ socket }: Peer): Promise<void> {
  const server = { host: socket.remoteAddress!, port: socket.remotePort! }
  const client = { host: socket.localAddress!, port: socket.localPort! }
  await until(() => unread(server, client) === 0, 'the server to read')
}

/** Runs a program to its end, as a reader does who has got something wrong. */
function run(slug: string, command: readonly string[]): Promise<Outcome> {
  return runToEnd(process.execPath, command, { cwd: programsOf(slug) })
}
