// Which process listens at a port, and with which descriptor: on node: modules alone.
// usage: node who-node.ts PORT [HOST]

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { isIPv4 } from 'node:net'

const [port = '', host = '127.0.0.1', ...rest] = process.argv.slice(2)
if (!/^\d+$/.test(port) || Number(port) > 65535 || !isIPv4(host) || rest.length > 0) {
  console.error('usage: node who-node.ts PORT [HOST], with an IPv4 address')
  process.exit(2)
}

// #region who
const inodes = listeners()
let found = 0
for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
  for (const fd of entries(`/proc/${pid}/fd`)) {
    if (!inodes.includes(link(`/proc/${pid}/fd/${fd}`))) continue
    console.log(`${host}:${port}: pid ${pid}, fd ${fd}`)
    found++
  }
}
// #endregion who
if (found === 0) {
  const whose = inodes.length === 0 ? 'nobody listens' : 'the process is not yours'
  console.error(`${host}:${port}: ${whose}`)
  process.exit(1)
}

// #region listeners
/**
 * What the links say of the sockets that listen for HOST:PORT: at HOST, at 0.0.0.0, or at ::, where
 * a server of Node is that was given no host (it takes IPv4 as well, unless it is ipv6Only).
 */
function listeners(): string[] {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0')
  const address = Buffer.from(host.split('.').map(Number)).reverse().toString('hex').toUpperCase()
  const addresses = [address, '0'.repeat(8), '0'.repeat(32)]
  const wanted = new Set(addresses.map((each) => `${each}:${hex}`))
  return ['tcp', 'tcp6']
    .flatMap(rows)
    .filter(([, local, , state]) => wanted.has(local!) && state === '0A')
    .map((columns) => `socket:[${columns[9]}]`)
}

function rows(list: string): string[][] {
  const [, ...lines] = text(`/proc/net/${list}`).trimEnd().split('\n')
  return lines.map((line) => line.trim().split(/\s+/))
}
// #endregion listeners

// A host without IPv6 has no list of it.
function text(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

// A process may end while it is looked at, and another user's may not be looked at.
function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
