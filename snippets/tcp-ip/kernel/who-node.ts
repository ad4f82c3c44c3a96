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
/** What the links of the listening sockets at HOST:PORT say. */
function listeners(): string[] {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0')
  const address = Buffer.from(host.split('.').map(Number)).reverse().toString('hex').toUpperCase()
  const [, ...lines] = readFileSync('/proc/net/tcp', 'latin1').trimEnd().split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local === `${address}:${hex}` && state === '0A')
    .map((columns) => `socket:[${columns[9]}]`)
}
// #endregion listeners

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
