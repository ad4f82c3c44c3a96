import { expect } from 'vitest'
import { type Scenario, onStage, playable, programsOf, recordings, testsOf } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'
import { recordedTable } from '../support/tables.ts'
import { scenarios } from './socket-options.scenarios.ts'

const slug = 'tcp-ip/socket-options'
const test = testsOf(slug)

recordings(slug, scenarios)

/** The cells that a program prints, a row a line, without the line that names the columns. */
async function rowsOf(stage: Stage, file: string): Promise<string[][]> {
  const program = stage.start('program', file)
  const { status } = await program.ended
  expect(status).toBe(0)
  return program
    .unawaited()
    .slice(1)
    .map((line) => line.split(' | '))
}

/** FreeBSD's numbers: sys/socket.h, netinet/in.h, netinet/tcp.h, netinet6/in6.h. */
const bsd: Record<string, string> = {
  SO_KEEPALIVE: '8',
  SO_LINGER: '128',
  SO_RCVBUF: '4098',
  SO_SNDBUF: '4097',
  SO_RCVLOWAT: '4100',
  SO_SNDLOWAT: '4099',
  SO_RCVTIMEO: '4102',
  SO_SNDTIMEO: '4101',
  SO_REUSEADDR: '4',
  SO_REUSEPORT: '512',
  SO_BROADCAST: '32',
  SO_TYPE: '4104',
  SO_ACCEPTCONN: '2',
  SO_ERROR: '4103',
  TCP_MAXSEG: '2',
  TCP_NODELAY: '1',
  TCP_CORK: '–',
  TCP_QUICKACK: '–',
  TCP_KEEPIDLE: '256',
  TCP_KEEPINTVL: '512',
  TCP_KEEPCNT: '1024',
  TCP_USER_TIMEOUT: '–',
  TCP_SYNCNT: '–',
  TCP_DEFER_ACCEPT: '–',
  TCP_FASTOPEN: '1025',
  TCP_INFO: '32',
  IP_HDRINCL: '2',
  IP_OPTIONS: '1',
  IP_TOS: '3',
  IP_TTL: '4',
  IP_MTU_DISCOVER: '–',
  IPV6_V6ONLY: '27',
}

/** What the kernel makes of a sysctl: the same number, but for the one that is said the other way round. */
function defaultFrom(sysctl: string, setting: number): number {
  if (sysctl === 'net.ipv4.ip_no_pmtu_disc') return setting === 0 ? 1 : 0
  return setting
}

test('defaults.ts: what every Linux gives is as the page has it; the rest is as its sysctl says', async ({ stage }) => {
  const rows = await rowsOf(stage, 'defaults.ts')
  const explained: string[][] = []
  const cell = (option: string, kind: string, text: string): string => {
    const [, value, sysctl, setting] = /^(\S+) by (\S+) (\S+)$/.exec(text) ?? []
    if (sysctl === undefined) return text
    explained.push([option, kind, value!, setting!, sysctl])
    return 'sysctl'
  }
  const table = rows.map(([, option, number, bytes, stream, datagram]) => {
    const grows = option === 'TCP_INFO' // the kernel adds to struct tcp_info, and cuts it to what the caller has room for
    if (grows) expect(Number(bytes)).toBeGreaterThanOrEqual(160)
    return [
      option!,
      cell(option!, 'stream', stream!),
      cell(option!, 'datagram', datagram!),
      grows ? 'grows' : bytes!,
      number!,
      bsd[option!]!,
    ]
  })
  expect(table).toHaveLength(Object.keys(bsd).length)
  await recordedTable(
    slug,
    'defaults.json',
    {
      title: 'New sockets',
      columns: ['option', 'stream', 'datagram', 'bytes', 'here', 'BSD'],
      rows: table,
    },
    { varies: [], holds: () => {} },
  )
  await recordedTable(
    slug,
    'from-sysctls.json',
    {
      title: 'Defaults that the host decides, and what they are on the one that recorded this page',
      columns: ['option', 'socket', 'value', 'setting', 'sysctl'],
      rows: explained,
    },
    {
      varies: ['value', 'setting'],
      holds(all) {
        for (const { option, value, sysctl, setting } of all)
          expect(Number(value), String(option)).toBe(defaultFrom(String(sysctl), Number(setting)))
      },
    },
  )
})

test('set-and-read.ts: what is read back, on any Linux', async ({ stage }) => {
  const rows = await rowsOf(stage, 'set-and-read.ts')
  await recordedTable(
    slug,
    'set-and-read.json',
    { title: 'Set, and read back', columns: ['option', 'set to', 'stream', 'datagram'], rows },
    { varies: [], holds: () => {} },
  )
})

test.for(['raw-options.ts', 'linger.ts', 'ip-header.ts'])(
  '%s says why it fails without the right to raw sockets',
  async (file) => {
    const denied: Scenario = {
      where: 'without raw sockets',
      async act(stage) {
        const program = stage.start('program', file)
        const { status } = await program.ended
        expect(status).toBe(1)
        expect(program.unawaited()).toEqual(['socket EPERM: operation not permitted'])
      },
    }
    if (playable(denied)) await onStage(programsOf(slug), denied)
  },
)
