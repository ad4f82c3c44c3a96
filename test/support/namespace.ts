// Where a program may do what an ordinary user may not: a user namespace in which it is root, with a network namespace of its
// own, where nobody else has a port and where IPv6 is at home. Made by unshare(1) of util-linux, which needs no privileges
// unless the machine forbids it.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How to run a program there: what stands before its file name; see StageOptions. */
export interface Place {
  node: readonly string[]
}

/** How to run a program there, or why it is not possible here. */
export type PlaceOrReason = Place | { reason: string }

function works(command: readonly string[], program: string): string | undefined {
  const [file, ...args] = command
  const { status, error, stderr } = spawnSync(file!, [...args, '--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim().split('\n').at(-1) || `status ${status}`)
}

const loopbackUp = join(import.meta.dirname, 'loopback-up.ts')

/** A network namespace with the loopback interface up, in which the program is root. */
export function networkNamespace(): PlaceOrReason {
  const node = ['unshare', '--user', '--map-root-user', '--net', process.execPath, '--import', loopbackUp]
  const problem = works(node, '')
  return problem === undefined ? { node } : { reason: `no network namespace: ${problem}` }
}

/** Where a program has CAP_NET_RAW: in a namespace, or on this machine as it is, if the tests run as root. */
export function withRawSockets(): PlaceOrReason {
  const namespace = networkNamespace()
  if ('node' in namespace) return namespace
  if (mayOpenRawSockets()) return { node: [process.execPath] }
  return { reason: `${namespace.reason}, and no raw sockets outside of one` }
}

/** Where a program has no CAP_NET_RAW: for an ordinary user this machine as it is, for root with the capability dropped. */
export function withoutRawSockets(): PlaceOrReason {
  if (!mayOpenRawSockets()) return { node: [process.execPath] }
  const drop = ['setpriv', '--inh-caps=-net_raw', '--ambient-caps=-net_raw', '--bounding-set=-net_raw']
  const node = [...drop, process.execPath]
  const problem = works(node, '')
  return problem === undefined ? { node } : { reason: `CAP_NET_RAW cannot be dropped: ${problem}` }
}

/** CAP_NET_RAW among the effective capabilities of this process. capabilities(7), proc(5) */
function mayOpenRawSockets(): boolean {
  const CAP_NET_RAW = 13n
  const effective = /^CapEff:\s+([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> CAP_NET_RAW) & 1n) === 1n
}

/**
 * The place, or undefined after saying why not, so that its tests are skipped where one sees it. In CI there is no skipping:
 * there it is an error.
 */
export function placeOrSkip(place: PlaceOrReason, what: string): Place | undefined {
  if ('node' in place) return place
  if (process.env['CI']) throw new Error(`${what}: ${place.reason}`)
  console.warn(`skipped: ${what}: ${place.reason}`)
  return undefined
}
