import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test as base } from 'vitest'
import {
  AF_INET,
  MSG_WAITALL,
  RLIMIT_NOFILE,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  close,
  connect,
  getrlimit,
  recv,
  send,
  setsockopt,
  sockaddr,
  socket,
  timeval,
} from '#posix'
import { onStage, programsOf, testsOf } from '../../support/recordings.ts'
import { runToEnd } from '../../support/spawn.ts'
import { recordedTable } from '../../support/tables.ts'
import { LIMIT } from '../../support/within.ts'
import type { Address } from '../../support/program.ts'
import { MESSAGES, WARM_UP } from './counting.ts'

const slug = 'servers/multiplexing'
const test = testsOf(slug)

describe('what a wait costs', () => {
  const sizes = [10, 100, 1000, 8000]
  const { hard } = getrlimit(RLIMIT_NOFILE)
  if (hard < 8100) console.warn(`wait-cost.json is not measured: RLIMIT_NOFILE is ${hard}`)

  test.skipIf(hard < 8100)('wait-cost.json', async ({ stage }) => {
    const program = stage.start('program', 'wait-cost.ts')
    const rows = (await program.lines(3 * sizes.length)).map((line) => {
      const [, call, descriptors, cost] = /^(\w+), (\d+) descriptors: ([\d.]+) µs$/.exec(line)!
      return [call!, Number(descriptors), Number(cost)]
    })
    const measured = {
      title: 'One wait with one ready descriptor among idle ones',
      columns: ['call', 'descriptors', 'microseconds'],
      rows,
      chart: { x: 'descriptors', y: 'microseconds', series: 'call', log: ['descriptors', 'microseconds'] },
    }
    await recordedTable(slug, 'wait-cost.json', measured, {
      varies: ['microseconds'],
      holds(rows) {
        const cost = (call: string, descriptors: number): number =>
          Number(rows.find((row) => row['call'] === call && row['descriptors'] === descriptors)?.['microseconds'])
        // Ten times the descriptors cost select and poll about ten times as much; eight hundred times cost epoll nothing.
        for (const call of ['select', 'poll']) expect(cost(call, 1000) / cost(call, 100), call).toBeGreaterThan(4)
        expect(cost('epoll_wait', 8000) / cost('epoll_wait', 10)).toBeLessThan(4)
        expect(cost('poll', 1000) / cost('epoll_wait', 1000)).toBeGreaterThan(20)
      },
    })
  })

  base('says which sizes the limit does not allow, and measures the others', async () => {
    const command = `ulimit -n 200; exec '${process.execPath}' wait-cost.ts 10 1000`
    const { stdout } = await runToEnd('sh', ['-c', command], { cwd: programsOf(slug) })
    expect(stdout).toMatch(
      /^(\w+, 10 descriptors: [\d.]+ µs\n){3}1000 descriptors are not allowed: RLIMIT_NOFILE is 200\n$/,
    )
  })

  test('is not measured for what is no number', async ({ stage }) => {
    const program = stage.start('program', 'wait-cost.ts', '10', 'many')
    expect(await program.errorLine()).toBe('usage: node wait-cost.ts [DESCRIPTORS ...]')
    expect(await program.ended).toEqual({ status: 2, signal: null })
  })
})

describe('what a message leaves on the heap', () => {
  test('allocation.json', { timeout: 60_000 }, async ({ stage }) => {
    const program = stage.start('program', 'allocation.ts')
    const rows: [string, number][] = (await program.lines(4)).map((line) => {
      const [, echo, bytes] = /^(.*): (-?[\d.]+) bytes a message$/.exec(line)!
      return [echo!, Number(bytes)]
    })
    await program.ended // else its end interrupts a recv below
    rows.push(['epoll-server.ts', await heapOfServer('epoll-server.ts')])
    const measured = {
      title: 'What an echo of 64 bytes leaves on the heap',
      columns: ['the echo', 'bytes a message'],
      rows: rows.map(([echo, bytes]): [string, number] => [echo, Math.round(bytes * 10) / 10]),
    }
    await recordedTable(slug, 'allocation.json', measured, {
      varies: ['bytes a message'],
      holds(rows) {
        const [oneBuffer, oneView, oneString, oneException, server] = rows.map((row) => row['bytes a message'])
        expect(oneBuffer).toBeLessThan(1)
        expect(server).toBeLessThan(1)
        expect(oneView).toBeGreaterThan(10)
        expect(oneString).toBeGreaterThan(oneView as number)
        expect(oneException).toBeGreaterThan(oneString as number)
        expect(oneException).toBeLessThan(2_000) // what it needs, and not a table of all errors beside it
      },
    })
  })

  /** The bytes of heap a message of a server that runs as it stands on the page, with a binding that counts. */
  async function heapOfServer(file: string): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), 'heap-'))
    try {
      copyFileSync(join(programsOf(slug), file), join(folder, file))
      symlinkSync(join(import.meta.dirname, 'counting.ts'), join(folder, 'counting.ts'))
      writeFileSync(join(folder, 'package.json'), '{ "type": "module", "imports": { "#posix": "./counting.ts" } }')
      let least = Infinity
      await onStage(folder, async (stage) => {
        const server = await stage.serve('server', file, 0)
        for (let round = 0; round < 4 && least >= 1; round++) {
          echoes(server.address, round === 0 ? WARM_UP + MESSAGES + 100 : MESSAGES)
          least = Math.min(least, Number.parseFloat(await server.errorLine()))
        }
      })
      return least
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** Sends so many messages of 64 bytes and receives them again, over a few connections. */
  function echoes({ host, port }: Address, messages: number): void {
    const buf = Buffer.alloc(64)
    const fds = Array.from({ length: 10 }, () => {
      const fd = socket(AF_INET, SOCK_STREAM, 0)
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(LIMIT)) // a server that does not answer fails the test
      connect(fd, sockaddr(host, port))
      return fd
    })
    for (let i = 0; i < messages; i += fds.length) {
      for (const fd of fds) send(fd, buf, buf.length, 0)
      for (const fd of fds) recv(fd, buf, buf.length, MSG_WAITALL)
    }
    for (const fd of fds) close(fd)
  }
})
