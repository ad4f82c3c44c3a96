import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { release, version } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { placeOrSkip } from '../support/namespace.ts'
import { output, programsOf, recordings, testsOf } from '../support/recordings.ts'
import { recordedTable } from '../support/tables.ts'
import { host, scenarios, withSockets } from './kernel.scenarios.ts'
import * as posix from '#posix'

const slug = 'tcp-ip/kernel'
const test = testsOf(slug)

recordings(slug, scenarios)

const btfFile = '/sys/kernel/btf/vmlinux'
const mayBtf = placeOrSkip('with BTF') !== undefined

/** Whether this kernel is that one, or a later one. */
function since(wanted: number, minorWanted: number): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > wanted || (major === wanted && minor >= minorWanted)
}
const hasBoundInactive = since(6, 8)

/** Where a packet is from send to recv on one machine: who works, and then function by function what it does. */
const path: [name: string, does: string][] = [
  ['the sender', 'is in its call of send'],
  ['__sys_sendto()', 'finds the socket behind the descriptor'],
  ['inet_sendmsg()', 'asks the protocol of the socket'],
  ['tcp_sendmsg()', 'copies the bytes to sk_write_queue'],
  ['tcp_write_xmit()', 'makes segments, as far as the windows allow'],
  ['ip_queue_xmit()', 'finds the route, and writes the header of IP'],
  ['__dev_queue_xmit()', 'hands the packet to the device'],
  ['loopback_xmit()', 'is the device: gives it back at once'],
  ['__netif_rx()', 'puts it into the backlog of this processor'],
  ['a softirq', 'begins, mostly before send has returned'],
  ['process_backlog()', 'takes packets out of the backlog'],
  ['ip_rcv()', 'checks the header of IP'],
  ['tcp_v4_rcv()', 'finds the socket by both addresses and ports'],
  ['tcp_rcv_established()', 'acknowledges, and puts the bytes into sk_receive_queue'],
  ['sock_def_readable()', 'wakes who waits'],
  ['the receiver', 'is in its call of recv'],
  ['__sys_recvfrom()', 'finds the socket behind the descriptor'],
  ['inet_recvmsg()', 'asks the protocol of the socket'],
  ['tcp_recvmsg()', 'copies the bytes out of sk_receive_queue'],
]
const functions = path.flatMap(([name]) => (name.endsWith('()') ? [name.slice(0, -2)] : []))

describe.skipIf(!mayBtf)('what this kernel says of itself', () => {
  /** One run of btf.ts for all the tables: its lines under the line that names the type. */
  let known: string[] | undefined
  function lines(): string[] {
    const structs = ['tcp_sock', 'inet_timewait_sock', 'socket', 'socket_wq']
    const fields = nested.map(([outer, field]) => `${outer}.${field}`)
    const names = ['TCP_ESTABLISHED', 'TCPF_CLOSE', ...structs, ...fields, ...functions]
    const file = join(programsOf(slug), 'btf.ts')
    known ??= spawnSync(process.execPath, [file, ...names], { encoding: 'utf8' })
      .stdout.trimEnd()
      .split('\n')
    return known
  }

  /** The struct that begins with another one, and its field for that. */
  const nested: [string, string][] = [
    ['tcp_sock', 'inet_conn'],
    ['inet_connection_sock', 'icsk_inet'],
    ['inet_sock', 'sk'],
    ['sock', '__sk_common'],
    ['inet_timewait_sock', '__tw_common'],
  ]

  function valueOf(name: string): number | undefined {
    const found = lines().find((line) => line.startsWith(`  ${name} `))
    return found === undefined ? undefined : Number(found.split(' ').at(-1))
  }

  test('btf.out has the numbers that programs use', () => {
    const types = Object.entries(posix).filter(([name]) => /^SOCK_(?!NONBLOCK|CLOEXEC)/.test(name))
    expect(types).toHaveLength(6)
    for (const [name, value] of types) expect(output(slug, 'btf')).toContain(`  ${name} ${String(value)}\n`)
  })

  test('tcp-states.json', async () => {
    // RFC 4022, tcpConnectionState
    const mib: Record<string, number> = {
      TCP_ESTABLISHED: 5,
      TCP_SYN_SENT: 3,
      TCP_SYN_RECV: 4,
      TCP_FIN_WAIT1: 6,
      TCP_FIN_WAIT2: 7,
      TCP_TIME_WAIT: 11,
      TCP_CLOSE: 1,
      TCP_CLOSE_WAIT: 8,
      TCP_LAST_ACK: 9,
      TCP_LISTEN: 2,
      TCP_CLOSING: 10,
    }
    const beyond = { TCP_NEW_SYN_RECV: 12, TCP_BOUND_INACTIVE: 13 }
    if (!hasBoundInactive) expect(valueOf('TCP_BOUND_INACTIVE')).toBeUndefined()
    expect(valueOf('TCP_MAX_STATES')).toBe(hasBoundInactive ? 14 : 13)
    const rows = [...Object.keys(mib), ...Object.keys(beyond)].map((name) => {
      const missing = name === 'TCP_BOUND_INACTIVE' && !hasBoundInactive
      const value = missing ? beyond[name] : valueOf(name)!
      const mask = missing ? 1 << value : valueOf(name.replace('TCP_', 'TCPF_'))!
      return [
        name.replace('TCP_', ''),
        value,
        value.toString(16).toUpperCase().padStart(2, '0'),
        String(mask),
        mib[name] ?? '–',
      ]
    })
    await recordedTable(
      slug,
      'tcp-states.json',
      { title: 'The states of TCP', columns: ['TCP_…', 'number', '/proc', 'TCPF_…', 'RFC 4022'], rows },
      {
        varies: [],
        holds(all) {
          for (const { number, 'TCPF_…': mask } of all) expect(Number(mask)).toBe(1 << Number(number))
        },
      },
    )
  })

  test('struct-socket.json', async () => {
    const inSource = ['state', 'type', 'flags', 'fasync_list', 'wait', 'file', 'sk', 'ops']
    const rows = ['socket', 'socket_wq'].flatMap((name) =>
      under(`struct ${name}, `).map((line) => {
        const [, at, bytes, type, field] = /^ {2}at (\d+), (\d+) bytes?: (.*) (\w+)$/.exec(line)!
        const place = inSource.indexOf(field!) + 1
        const own = name === 'socket' || field === 'wait' || field === 'fasync_list'
        return [
          `${name === 'socket' ? '' : 'wq.'}${field}`,
          Number(at),
          Number(bytes),
          own && place > 0 ? place : '–',
          type!,
        ]
      }),
    )
    await recordedTable(
      slug,
      'struct-socket.json',
      {
        title: 'struct socket, and what it ends with',
        columns: ['field', 'at', 'bytes', 'in the source', 'type'],
        rows,
      },
      {
        varies: ['type', 'at', 'bytes'],
        holds(all) {
          const wq = all.find(({ field }) => field === 'wq')
          if (version().includes('SMP')) expect(Number(wq!['at']) % 64, 'a cache line').toBe(0)
          for (const [i, { field, at }] of all.entries()) {
            const before = all[i - 1]
            if (before === undefined || field === 'wq.wait') continue
            expect(Number(at), String(field)).toBeGreaterThanOrEqual(Number(before['at']) + Number(before['bytes']))
          }
        },
      },
    )
  })

  test('nested.json', async () => {
    const sizes = new Map<string, number>()
    for (const name of ['tcp_sock', 'inet_timewait_sock']) {
      const head = lines().find((line) => line.startsWith(`struct ${name}, `))!
      sizes.set(name, Number(/(\d+) bytes$/.exec(head)![1]))
    }
    const inner = nested.map(([outer]) => {
      const [, bytes, name] = /: at 0, (\d+) bytes: struct (\w+)/.exec(
        lines().find((line) => line.startsWith(`struct ${outer}: `))!,
      )!
      sizes.set(name!, Number(bytes))
      return name!
    })
    const rows = nested.map(([outer], i) => [outer, String(sizes.get(outer)), inner[i]!])
    rows.splice(4, 0, ['sock_common', String(sizes.get('sock_common')), '–'])
    await recordedTable(
      slug,
      'nested.json',
      { title: 'What begins with what', columns: ['struct', 'bytes', 'begins with'], rows },
      {
        varies: ['bytes'],
        holds(all) {
          const size = (name: string) => Number(all.find(({ struct }) => struct === name)!['bytes'])
          for (const { struct, bytes, 'begins with': first } of all) {
            if (first !== '–') expect(Number(bytes), String(struct)).toBeGreaterThan(size(String(first)))
          }
          expect(size('inet_timewait_sock') * 2).toBeLessThan(size('tcp_sock'))
        },
      },
    )
  })

  test('path.json: each function is in this kernel', async () => {
    // BTF may leave out a function that the compiler has changed; among the symbols it has something behind its name.
    const missing = functions.filter((name) => !lines().includes(`function ${name}`))
    const symbols = missing.length > 0 ? readFileSync('/proc/kallsyms', 'latin1') : ''
    for (const name of missing) expect(symbols).toMatch(new RegExp(` ${name}[.\\s]`))
    await recordedTable(
      slug,
      'path.json',
      { title: 'From send to recv on one machine', columns: ['function', 'what it does'], rows: path },
      { varies: [], holds: () => {} },
    )
  })

  function under(head: string): string[] {
    const start = lines().findIndex((line) => line.startsWith(head)) + 1
    const end = lines().findIndex((line, i) => i >= start && !line.startsWith('  '))
    return lines().slice(start, end === -1 ? undefined : end)
  }
})

test('btf.ts says so where the kernel has no such file', ({ skip }) => {
  const prefix = existsSync(btfFile) ? withoutBtf() : []
  if (prefix === undefined) skip(`${btfFile} is here, and cannot be hidden`)
  const [command, ...args] = [...prefix!, process.execPath, join(programsOf(slug), 'btf.ts'), 'socket']
  const { status, stderr } = spawnSync(command!, args, { encoding: 'utf8' })
  expect(stderr).toBe(`${btfFile}: this kernel has no such file\n`)
  expect(status).toBe(1)
})

/** The words before a command that is not to see the file: with an empty folder mounted on the one that holds it. */
function withoutBtf(): string[] | undefined {
  const root = placeOrSkip('in a network namespace')?.prefix
  if (root === undefined) return undefined
  const hide = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh']
  const [command, ...args] = [...root, ...hide, 'true']
  return spawnSync(command!, args).status === 0 ? [...root, ...hide] : undefined
}

test.for([
  ['btf.ts', 'struct socket', 2, /^usage: node btf\.ts NAME/],
  ['ss.ts', 'listen', 2, /^usage: node ss\.ts /],
  ['who-node.ts', '70000', 2, /^usage: node who-node\.ts PORT/],
  ['who-node.ts', '0', 1, /^127\.0\.0\.1:0: nobody listens$/],
] as const)('%s %s ends with %i', async ([file, argument, status, message], { stage }) => {
  const program = stage.start('program', file, argument)
  expect((await program.ended).status).toBe(status)
  expect(program.unawaited()[0]).toMatch(message)
})

test.skipIf(!mayBtf)('btf.ts tells of each name whether it is there', async ({ stage }) => {
  const program = stage.start('program', 'btf.ts', 'no_such_type', 'sock_common.skc_state')
  expect((await program.ended).status).toBe(1)
  const [absent, field] = program.unawaited().toSorted()
  expect(absent).toBe('no_such_type: there is no such name in this kernel')
  expect(field).toMatch(/^struct sock_common: at \d+, 1 byte: volatile unsigned char skc_state$/)
})

test('ss.ts lists what /proc/net/tcp lists', async ({ stage }) => {
  await withSockets('waits', async (port) => {
    const program = stage.start('program', 'ss.ts', port, host)
    expect((await program.ended).status).toBe(0)
    const [, ...listed] = program.unawaited().map((line) => line.split(' | '))
    const own = readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, ...ends]) => ends.slice(0, 2).includes(hexOf(host, port)))
    expect(own).toHaveLength(3)
    expect(listed.map(([, , , local, peer]) => `${ends(local!)} ${ends(peer!)}`).toSorted()).toEqual(
      own.map(([, local, peer]) => `${local} ${peer}`).toSorted(),
    )
    const numbers: Record<string, string> = { LISTEN: '0A', ESTABLISHED: '01' }
    for (const [state, received, , local, peer] of listed) {
      const [, , , st, queues] = own.find(([, one, other]) => one === ends(local!) && other === ends(peer!))!
      expect(numbers[state!]).toBe(st)
      expect(parseInt(queues!.split(':')[1]!, 16)).toBe(Number(received))
    }
  })
})

test('ss.ts LISTEN lists what listens, of IPv6 too', async ({ stage }) => {
  const server = createServer().listen(0, '::1')
  const mayIpv6 = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  try {
    await withSockets('waits', async (port) => {
      const program = stage.start('program', 'ss.ts', 'LISTEN')
      expect((await program.ended).status).toBe(0)
      const [, ...lines] = program.unawaited()
      expect(lines.every((line) => line.startsWith('LISTEN | '))).toBe(true)
      expect(lines.filter((line) => line.includes(`${host}:${port} `))).toEqual([
        `LISTEN | 1 | 8 | ${host}:${port} | 0.0.0.0:0 | 0`,
      ])
      const ipv6 = mayIpv6 ? (server.address() as AddressInfo).port : undefined
      if (mayIpv6) expect(lines.some((line) => line.endsWith(` | [::1]:${ipv6} | [::]:0 | 0`))).toBe(true)
    })
  } finally {
    server.close()
  }
})

test.skipIf(!since(6, 16))('SOCK_DCCP is a number without a protocol', () => {
  const [SOCK_DCCP, IPPROTO_DCCP] = [6, 33]
  expect(() => posix.socket(posix.AF_INET, SOCK_DCCP, IPPROTO_DCCP)).toThrow('socket ESOCKTNOSUPPORT')
})

test.skipIf(!hasBoundInactive)(
  'a socket that is bound and no more is in no line of /proc/net/tcp',
  async ({ stage }) => {
    const fd = posix.socket(posix.AF_INET, posix.SOCK_STREAM | posix.SOCK_CLOEXEC, 0)
    try {
      posix.bind(fd, posix.sockaddr_in(host, 0))
      const port = posix.endpoint(posix.getsockname(fd, posix.sockaddr_in(host, 0))).port!
      const program = stage.start('program', 'ss.ts', 'BOUND_INACTIVE', port, host)
      expect((await program.ended).status).toBe(0)
      expect(program.unawaited().slice(1)).toEqual([`CLOSE | 0 | 0 | ${host}:${port} | 0.0.0.0:0 | –`])
      expect(readFileSync('/proc/net/tcp', 'latin1')).not.toContain(` ${hexOf(host, port)} `)
    } finally {
      posix.close(fd)
    }
  },
)

test('who-node.ts finds the process that listens', async ({ stage }) => {
  const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
  const program = stage.start('who', 'who-node.ts', server.address.port)
  expect((await program.ended).status).toBe(0)
  expect(program.unawaited().join('\n')).toContain(`pid ${server.pid}, `)
})

test.for(['0.0.0.0', '::'])('who-node.ts finds the process that listens at %s', async (host, { stage }) => {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const program = stage.start('who', 'who-node.ts', (server.address() as AddressInfo).port)
  expect((await program.ended).status).toBe(0)
  expect(program.unawaited().join('\n')).toContain(`pid ${process.pid}, `)
  server.close()
})

function ends(text: string): string {
  const [address, port] = text.split(':')
  return hexOf(address!, Number(port))
}

/** An address as /proc/net/tcp writes it on a machine that keeps the lowest byte first. */
function hexOf(address: string, port: number): string {
  const bytes = Buffer.from(address.split('.').map(Number)).reverse().toString('hex')
  return `${bytes}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}
