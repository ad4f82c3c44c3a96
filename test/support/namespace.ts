// Where a program may do what an ordinary user may not: a user namespace in which it is root, with a network namespace of its
// own, where nobody else has a port and where IPv6 is at home. Made by unshare(1) of util-linux, which needs no privileges
// unless the machine forbids it.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A place to run a program in: the words that stand before its command. */
export interface Place {
  prefix: readonly string[]
}

/** A place, or why it cannot be had here. */
type PlaceOrReason = Place | { reason: string }

function placeIfWorks(prefix: readonly string[], what: string): PlaceOrReason {
  const [file, ...args] = [...prefix, process.execPath, '--version']
  const { status, error, stderr } = spawnSync(file!, args, { encoding: 'utf8' })
  if (status === 0) return { prefix }
  return { reason: `${what}: ${error?.message ?? (stderr.trim().split('\n').at(-1) || `status ${status}`)}` }
}

const loopbackUp = join(import.meta.dirname, 'loopback-up.ts')

/** A network namespace with the loopback interface up, in which the program is root. */
function networkNamespace(): PlaceOrReason {
  const up = `{ ip link set lo up 2>/dev/null || "${process.execPath}" "${loopbackUp}"; }` // ip(8) is not everywhere, and quicker
  const upFirst = ['sh', '-c', `${up} && exec "$@"`, 'sh']
  return placeIfWorks(['unshare', '--user', '--map-root-user', '--net', ...upFirst], 'no network namespace')
}

/** Where a program has CAP_NET_RAW: in a namespace, or on this machine as it is, if the tests run as root. */
function withRawSockets(): PlaceOrReason {
  const namespace = networkNamespace()
  if ('prefix' in namespace) return namespace
  if (mayOpenRawSockets()) return { prefix: [] }
  return { reason: `${namespace.reason}, and no raw sockets outside of one` }
}

/** Where a program has no CAP_NET_RAW: for an ordinary user this machine as it is, for root with the capability dropped. */
function withoutRawSockets(): PlaceOrReason {
  if (!mayOpenRawSockets()) return { prefix: [] }
  const drop = ['setpriv', '--inh-caps=-net_raw', '--ambient-caps=-net_raw', '--bounding-set=-net_raw']
  return placeIfWorks(drop, 'CAP_NET_RAW cannot be dropped')
}

/** This machine as it is, where it lets an ordinary user have an io_uring; the filters of containers often do not. */
function withIoUring(): PlaceOrReason {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'io-uring.ts')], {
    encoding: 'utf8',
  })
  return status === 0 ? { prefix: [] } : { reason: stderr.trim() }
}

/** This machine as it is, where its kernel tells its types: one that was built without them has no such file. */
function withBtf(): PlaceOrReason {
  const file = '/sys/kernel/btf/vmlinux'
  return existsSync(file) ? { prefix: [] } : { reason: `this kernel has no ${file}` }
}

/** CAP_NET_RAW among the effective capabilities of this process. capabilities(7), proc(5) */
function mayOpenRawSockets(): boolean {
  const CAP_NET_RAW = 13n
  const effective = /^CapEff:\s+([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> CAP_NET_RAW) & 1n) === 1n
}

const places = {
  'in a network namespace': networkNamespace,
  'with raw sockets': withRawSockets,
  'without raw sockets': withoutRawSockets,
  'with io_uring': withIoUring,
  'with BTF': withBtf,
}

/** What a machine may refuse for good reason, in CI too: the tests check what programs say then. */
const refusable: ReadonlySet<Where> = new Set(['with io_uring', 'with BTF'])

/** Where a scenario plays, if it is not this machine as it is. */
export type Where = keyof typeof places

const known = new Map<Where, PlaceOrReason>()

/** The place, or undefined after saying why not: its tests are skipped where one sees it. In CI that is an error. */
export function placeOrSkip(where: Where): Place | undefined {
  const place = known.get(where) ?? places[where]()
  if (!known.has(where) && 'reason' in place) {
    if (process.env['CI'] && !refusable.has(where)) throw new Error(`cannot run ${where}: ${place.reason}`)
    console.warn(`skipped: what runs ${where}: ${place.reason}`)
  }
  known.set(where, place)
  return 'prefix' in place ? place : undefined
}
