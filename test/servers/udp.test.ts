import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOL_SOCKET,
  bind,
  close,
  cmsgs,
  endpoint,
  getsockname,
  recvmsg,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'
import { descriptorCount, threadCount } from '../support/leaks.ts'
import { placeOrSkip } from '../support/namespace.ts'
import type { Program } from '../support/program.ts'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { type Exit, runToEnd } from '../support/spawn.ts'
import { type Stage, createStage } from '../support/stage.ts'
import { stopped } from '../support/stopped.ts'
import { recordedTable } from '../support/tables.ts'
import { within } from '../support/within.ts'
import { type DatagramPeer, datagramPeer, lossyPath, requestsOf } from './udp/peer.ts'
import { scenarios } from './udp.scenarios.ts'

const slug = 'servers/udp'
const test = testsOf(slug)
const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

recordings(slug, scenarios)

/** What a server on UDP promises. */
interface Promises {
  file: string
  /** What stands behind PORT on its command line. */
  hosts?: string[]
  /** A question, and whether something is the answer to it. */
  question: (number: number) => Buffer
  isAnswer: (answer: Buffer, question: Buffer) => boolean
  /** Whether it answers everything, or only what is a question. */
  answers: 'everything' | 'questions'
  /** How it ends on SIGTERM and SIGINT: killed by the signal, or with status 0. */
  stop: 'default' | 'orderly'
}

const echo = {
  question: (number: number) => Buffer.from(`question ${number}`),
  isAnswer: (answer: Buffer, question: Buffer) => answer.equals(question),
  answers: 'everything',
} as const

const servers: Promises[] = [
  { ...echo, file: 'udp-echo-server.ts', stop: 'default' },
  { ...echo, file: 'udp-echo-server-node.ts', stop: 'orderly' },
  { ...echo, file: 'right-address.ts', stop: 'default', hosts: ['127.0.0.1'] },
  { ...echo, file: 'right-address-node.ts', stop: 'orderly', hosts: ['127.0.0.1'] },
  {
    file: 'exercise-time-server.ts',
    question: (number) => Buffer.from(`Q${String(number).padStart(4, '0')}${'.'.repeat(24)}`),
    isAnswer: (answer, question) => answer.toString('latin1', 0, 5) === `A${question.toString('latin1', 1, 5)}`,
    answers: 'questions',
    stop: 'orderly',
  },
  {
    file: 'exercise-receive-file.ts',
    question: (number) => Buffer.from(`${String(number).padStart(4, '0')}\0\0\0\0the only block`),
    isAnswer: (answer, question) => answer.equals(question.subarray(0, 8)),
    answers: 'questions',
    stop: 'orderly',
  },
]

const LONGEST = 65_507

describe.each(servers)('$file keeps the promises of its kind', (promises) => {
  const { file, hosts = [], question, isAnswer, answers, stop } = promises
  const serve = (stage: Stage, port = 0): Promise<Program> => stage.serve('server', file, port, ...hosts)

  /** Asks, again if need be, until there is an answer. */
  async function isAnswered(peer: DatagramPeer, server: Program, number = 0): Promise<void> {
    const asked = question(number)
    const asking = setInterval(() => void peer.send(asked, server), 200)
    try {
      await peer.send(asked, server)
      let answer = await peer.next()
      while (!isAnswer(answer.bytes, asked)) answer = await peer.next() // of what was sent before
    } finally {
      clearInterval(asking)
    }
    expect(server.running()).toBe(true)
  }

  describe('in its life', () => {
    let house: Stage
    let server: Program
    let before: unknown
    const belongings = () => ({ descriptors: descriptorCount(server.pid), threads: threadCount(server.pid) })

    beforeAll(async () => {
      house = createStage({ folder: programsOf(slug) })
      server = await serve(house)
      server.ignoreOutput()
      await using first = await datagramPeer(house, 'first client')
      await isAnswered(first, server)
      before = belongings()
    })

    afterAll(async () => {
      await house.close()
    })

    test('answers each of many clients', async ({ stage }) => {
      const peers = await Promise.all(Array.from({ length: 60 }, (_, i) => datagramPeer(stage, `client ${i}`)))
      for (const [i, peer] of peers.entries()) await peer.send(question(i), server)
      for (const [i, peer] of peers.toReversed().entries()) {
        const answer = await peer.next()
        expect(isAnswer(answer.bytes, question(peers.length - 1 - i))).toBe(true)
        expect(answer.from).toMatchObject({ address: server.address.host, port: server.address.port })
        await peer.close()
      }
    })

    const sizes = [0, 1, 3, 1472, 1473, LONGEST - 1, LONGEST]
    test(`takes what is empty, what is long, and any bytes`, async ({ stage }) => {
      await using peer = await datagramPeer(stage, 'client')
      for (const size of [...sizes, 9, 99, 999]) {
        const bytes = randomBytes(size)
        await peer.send(bytes, server)
        if (answers === 'everything') expect((await peer.next()).bytes.equals(bytes)).toBe(true)
      }
      await isAnswered(peer, server)
    })

    test('outlives clients that are gone before the answer', async ({ stage }) => {
      for (let round = 0; round < 20; round++) {
        const peer = await datagramPeer(stage, 'hasty client')
        await peer.send(question(round), server)
        await peer.close()
      }
      await using peer = await datagramPeer(stage, 'client')
      await isAnswered(peer, server)
    })

    test('outlives a flood', async ({ stage }) => {
      const flood = createSocket('udp4')
      const datagram = Buffer.concat([question(1), Buffer.alloc(980, 'x')])
      for (let i = 0; i < 1000; i++) flood.send(datagram, server.address.port, server.address.host)
      await new Promise((resolve) => flood.send(datagram, server.address.port, server.address.host, resolve))
      flood.close()
      await using peer = await datagramPeer(stage, 'client')
      await isAnswered(peer, server)
    })

    test('has the descriptors and threads that it had before', () => {
      expect(belongings()).toEqual(before)
    })
  })

  describe('the command line', () => {
    test.skipIf(!hasIPv6)('listens on the address it is given', async ({ stage }) => {
      const server = await stage.serve('server', file, 0, '::1')
      expect(server.address.host).toBe('::1')
      await using peer = await datagramPeer(stage, 'client', '::1')
      await isAnswered(peer, server)
    })

    test('that is wrong is answered with how the program is used, or with the call and the reason', async ({
      stage,
    }) => {
      const { address } = await serve(stage)
      const usage = new RegExp(`^usage: node ${RegExp.escape(file)} PORT `)
      await Promise.all([
        ...[[], ['70000', ...hosts], ['0x10', ...hosts]].map((wrong) =>
          fails(stage.start('program', file, ...wrong), 2, usage),
        ),
        fails(
          stage.start('program', file, address.port, ...hosts),
          1,
          new RegExp(`^bind EADDRINUSE(: address already in use)? 127\\.0\\.0\\.1:${address.port}$`),
        ),
        // TEST-NET-1, RFC 5737
        fails(stage.start('program', file, 0, '192.0.2.1'), 1, /^bind EADDRNOTAVAIL(: .*)? 192\.0\.2\.1(:0)?$/),
      ])
    })
  })

  test('stops on SIGTERM and SIGINT, and its port is free at once', async ({ stage }) => {
    let port = 0
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await serve(stage, port)
      port = server.address.port
      await using peer = await datagramPeer(stage, 'client')
      await isAnswered(peer, server)
      const due: Exit = stop === 'orderly' ? { status: 0, signal: null } : { status: null, signal }
      expect(await stopped(server, signal)).toEqual(due)
    }
  })
})

const raw = placeOrSkip('with raw sockets')
test.skipIf(raw === undefined)('no server is ended by a datagram whose source nothing can be sent to', async () => {
  const commands = servers.map(({ file, hosts = [], question }) => {
    return JSON.stringify({ file: join(programsOf(slug), file), args: hosts, question: question(1).toString('latin1') })
  })
  const program = join(import.meta.dirname, 'udp', 'forged.ts')
  const [command, ...args] = [...raw!.prefix, process.execPath, program, ...commands]
  const { status, stdout, stderr } = await runToEnd(command!, args)
  const due = { status: 0, stdout: `${JSON.stringify(servers.map(() => true))}\n`, stderr: '' }
  expect({ status, stdout, stderr }).toEqual(due)
})

/** The program prints one line on standard error, nothing more on standard output, and ends with that status. */
async function fails(program: Program, status: number, message: RegExp): Promise<void> {
  expect(await program.errorLine()).toMatch(message)
  expect(await program.ended).toEqual({ status, signal: null })
  expect(program.unawaited()).toEqual([])
}

/** The kernel writes down when a datagram has come. The test may look later. asm-generic/socket.h, socket(7) */
const SO_TIMESTAMP = 29

/** A datagram that has come to a socket with SO_TIMESTAMP, and when, in milliseconds. */
function recvStamped(fd: number): { bytes: Buffer; time: number } {
  const [bytes, control] = [Buffer.alloc(1024), Buffer.alloc(64)]
  const length = recvmsg(fd, { name: null, data: bytes, control, flags: 0 }, MSG_DONTWAIT)
  const { data } = cmsgs(control).find(({ type }) => type === SO_TIMESTAMP)! // struct timeval: seconds, microseconds
  return {
    bytes: bytes.subarray(0, length),
    time: Number(data.readBigInt64LE() * 1000n) + Number(data.readBigInt64LE(8)) / 1000,
  }
}

describe.each(['udp-echo-client.ts', 'udp-echo-client-node.ts'])('%s', (file) => {
  /** The client, in front of a server that the test plays. */
  async function played(stage: Stage, limit = 5000) {
    const peer = await datagramPeer(stage, 'server')
    const client = stage.start('client', file, peer.address.host, peer.address.port, limit)
    return { peer, client, requests: requestsOf(peer) }
  }

  test('sends the same request three times, and gives up', async ({ stage }) => {
    const fd = socket(AF_INET, SOCK_DGRAM, 0)
    try {
      setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, 1)
      const addr = sockaddr_in('127.0.0.1', 0)
      bind(fd, addr)
      const port = endpoint(getsockname(fd, addr)).port!
      const client = stage.start('client', file, '127.0.0.1', port, 100)
      client.stdin.write('hello\n')
      expect(await client.lines(3)).toEqual([1, 2, 3].map((tries) => `no answer to try ${tries} of 3`))
      await fails(client, 1, /^no answer in 3 tries of 100 ms$/)
      const [first, second, third] = [recvStamped(fd), recvStamped(fd), recvStamped(fd)]
      expect(first.bytes.toString('utf8', 4)).toBe('hello')
      for (const { bytes } of [second, third]) expect(bytes).toEqual(first.bytes)
      for (const wait of [second.time - first.time, third.time - second.time]) expect(wait).toBeGreaterThan(90)
    } finally {
      close(fd)
    }
  })

  test('takes no answer but that of its server to this request', async ({ stage }) => {
    const { peer, client, requests } = await played(stage)
    await using _ = peer
    await using stranger = await datagramPeer(stage, 'stranger')
    client.stdin.write('one\n')
    const first = await requests.receive()
    await stranger.send(Buffer.concat([first.id, Buffer.from('wrong')]), first.datagram)
    for (const wrong of ['', 'abc', 'a whole line of something else']) await peer.send(wrong, first.datagram)
    expect(await client.lines(3)).toEqual(Array.from({ length: 3 }, () => 'ignored: not the answer to this request'))
    await requests.answer(first)
    expect(await client.line()).toBe('received: one')
    client.stdin.write('two\n')
    const second = await requests.receive()
    expect(second.id.equals(first.id)).toBe(false)
    await requests.answer(first)
    expect(await client.line()).toBe('ignored: not the answer to this request')
    await requests.answer(second, 'an answer of another length')
    expect(await client.line()).toBe('received: an answer of another length')
  })

  test('waits no longer because others talk', async ({ stage }) => {
    const { peer, client, requests } = await played(stage, 200)
    await using _ = peer
    client.stdin.write('hello\n')
    const { datagram } = await requests.receive()
    const noise = setInterval(() => void peer.send('noise', datagram), 20)
    client.ignoreOutput()
    const exit = await within(client.ended, 'it to give up').finally(() => clearInterval(noise))
    expect(exit).toEqual({ status: 1, signal: null })
  })

  test('says that nobody is there, and that a line is too long', async ({ stage }) => {
    await using peer = await datagramPeer(stage, 'server')
    const args = [peer.address.host, peer.address.port]
    const usage = new RegExp(`^usage: node ${RegExp.escape(file)} (ADDRESS|HOST) PORT \\[MILLISECONDS\\]$`)
    await Promise.all([
      fails(stage.pipe('client', 'hello\n', file, '127.0.0.1', 1), 1, /^(recv|recvmsg) ECONNREFUSED/),
      fails(stage.pipe('client', `${'x'.repeat(LONGEST - 3)}\n`, file, ...args), 1, /^send EMSGSIZE/),
      fails(stage.start('client', file, '127.0.0.1', 0), 2, usage),
      fails(stage.start('client', file, ...args, '1.5'), 2, usage),
      fails(stage.start('client', file), 2, usage),
    ])
  })

  test('sends a line as long as a datagram can be, an empty one, and a last one without its end', async ({ stage }) => {
    const server = await stage.serve('server', 'udp-echo-server.ts', 0)
    server.ignoreOutput()
    const longest = 'x'.repeat(LONGEST - 4)
    const client = stage.pipe('client', `${longest}\n\nlast`, file, server.address.host, server.address.port)
    expect(await client.lines(3)).toEqual([longest, '', 'last'].map((text) => `received: ${text}`))
    expect(await client.ended).toEqual({ status: 0, signal: null })
  })
})

test('what is sent is received or dropped, and what a datagram takes of the buffer is more than its bytes', async ({
  stage,
}) => {
  const rows = [
    [4096, 1],
    [4096, 1000],
    [65_536, 1],
    [65_536, 1000],
    [65_536, 10_000],
  ]
  const measured = await Promise.all(
    rows.map(async ([bytes, length]) => {
      const program = stage.start('program', 'slow-reader.ts', bytes!, length!, 1000)
      const [granted, counts] = await program.lines(2)
      expect(granted).toBe(`asked for a buffer of ${bytes} bytes, got ${2 * bytes!}`)
      const [, sent, received, dropped] = /^sent (\d+), received (\d+), dropped (\d+)$/.exec(counts!)!
      return [(2 * bytes!) / 1024, length!, Number(sent), Number(received), Number(dropped)]
    }),
  )
  await recordedTable(
    slug,
    'slow-reader.json',
    {
      title: 'A thousand datagrams for a reader that does not read',
      columns: ['buffer, KiB', 'datagram, bytes', 'sent', 'received', 'dropped'],
      rows: measured,
    },
    {
      varies: ['received', 'dropped'],
      holds(rows) {
        for (const row of rows) {
          const [buffer, length, sent, received, dropped] = Object.values(row).map(Number) as [
            number,
            number,
            number,
            number,
            number,
          ]
          expect(received + dropped).toBe(sent)
          expect(received).toBeGreaterThan(0)
          // Each takes at least the structures around it; the last may go a little over.
          expect((received - 1) * (length + 200)).toBeLessThan(buffer * 1024)
        }
      },
    },
  )
})

test('slow-reader.ts says how it is used', async ({ stage }) => {
  const usage = /^usage: node slow-reader\.ts BUFFER LENGTH COUNT$/
  const runs = ['1 2', '1 65508 3', 'a 1 1'].map(async (wrong) => {
    await fails(stage.start('program', 'slow-reader.ts', ...wrong.split(' ')), 2, usage)
  })
  await Promise.all(runs)
})

test('node:dgram throws where the port is 0, which a datagram may claim to come from', () => {
  const socket = createSocket('udp4')
  expect(() => socket.send('x', 0, '127.0.0.1')).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }))
  socket.close()
})

const mayBeAnotherUser = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'true']).status === 0
test.skipIf(!mayBeAnotherUser)('with SO_REUSEADDR another user can take the port, with SO_REUSEPORT not', async () => {
  const program = `
    const socket = require('node:dgram').createSocket({ type: 'udp4', [process.argv[1]]: true })
    socket.on('error', ({ code }) => console.log(code))
    socket.bind(Number(process.argv[2]), '127.0.0.1', () => socket.close(() => console.log('bound')))`
  for (const [option, due] of Object.entries({ reuseAddr: 'bound', reusePort: 'EADDRINUSE' })) {
    const socket = createSocket({ type: 'udp4', [option]: true })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const other = ['--reuid=65534', '--clear-groups', process.execPath, '-e', program, option]
    const { stdout } = await runToEnd('setpriv', [...other, String(socket.address().port)])
    expect(stdout).toBe(`${due}\n`)
    socket.close()
  }
})

describe('exercises', () => {
  test('the limit doubles from try to try, and is learnt anew from an answer', async ({ stage }) => {
    await using peer = await datagramPeer(stage, 'server')
    const client = stage.start('client', 'exercise-backoff.ts', peer.address.host, peer.address.port)
    const requests = requestsOf(peer, 5)
    client.stdin.write('one\n')
    await requests.answer(await requests.receive())
    expect(await client.line()).toBe('received: one')
    // The limit follows from how long the answers took, on a busy machine too.
    const limitOf = async (tries: number): Promise<number> => {
      const line = await client.line()
      expect(line).toMatch(new RegExp(`^no answer to try ${tries} after \\d+ ms$`))
      return Number(/(\d+) ms$/.exec(line)![1])
    }
    client.stdin.write('two\n')
    expect((await requests.receive()).id[4]).toBe(1)
    const first = await limitOf(1)
    expect(first).toBeGreaterThanOrEqual(300)
    expect((await requests.receive()).id[4]).toBe(2)
    expect(await limitOf(2)).toBe(2 * first)
    await requests.answer(await requests.receive())
    expect(await client.line()).toBe('received: two')
    client.stdin.write('three\n')
    await requests.receive()
    // It has learnt from the third try by itself: without the number of the try, that would look like more than three times the first.
    expect(await limitOf(1)).toBeLessThan(3 * first)
  })

  test('files of all lengths over a lossy path', async ({ stage }) => {
    const receiver = await stage.serve('receiver', 'exercise-receive-file.ts', 0)
    await using path = await lossyPath(stage.transcript, receiver.address)
    const { host, port } = path.address
    for (const size of [0, 999, 1000, 4001]) {
      const data = randomBytes(size)
      const hash = createHash('sha256').update(data).digest('hex').slice(0, 16)
      const sender = stage.start('sender', 'exercise-send-file.ts', host, port)
      sender.stdin.end(data)
      expect(await receiver.line()).toBe(`received ${size} bytes, SHA-256 ${hash}`)
      expect(await sender.line()).toBe(`sent ${size} bytes, SHA-256 ${hash}`)
      expect(await sender.ended).toEqual({ status: 0, signal: null })
    }
    for (const count of Object.values(path.counts)) expect(count).toBeGreaterThan(0)
  })

  test('a file for nobody', async ({ stage }) => {
    const usage = /^usage: node exercise-send-file\.ts HOST PORT$/
    await fails(stage.pipe('sender', 'x', 'exercise-send-file.ts', '127.0.0.1', 1), 1, /ECONNREFUSED/)
    await fails(stage.start('sender', 'exercise-send-file.ts', '127.0.0.1', 0), 2, usage)
    await fails(stage.start('client', 'exercise-backoff.ts', 'nowhere', 1), 2, /^usage: node exercise-backoff\.ts/)
  })
})
