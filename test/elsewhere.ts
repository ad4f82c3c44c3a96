// The suite on a machine that is set up in another way: `npm run test:elsewhere`. What the book says has to hold there too.
//
// It runs in a network namespace of its own, in which these settings differ from the machine's. Each is read back: one that did not
// take is an error. What is of the whole machine (net.core.rmem_max, fs.*) cannot be set there and stays as it is.
//
//   npm run test:elsewhere -- tcp-ip/buffers      only the tests of a page

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const ipv4 = '/proc/sys/net/ipv4'

/** Another algorithm of congestion control than the one in use, of those that anybody may choose. tcp(7) */
function otherCongestionControl(): string {
  const inUse = readFileSync(`${ipv4}/tcp_congestion_control`, 'utf8').trim()
  const other = readFileSync(`${ipv4}/tcp_available_congestion_control`, 'utf8')
    .trim()
    .split(/\s+/)
    .find((name) => name !== inUse)
  if (other === undefined) throw new Error(`no other congestion control than ${inUse}`)
  return other
}

const settings: Record<string, string> = {
  [`${ipv4}/tcp_congestion_control`]: otherCongestionControl(),
  [`${ipv4}/tcp_rmem`]: '8192 65536 2097152',
  [`${ipv4}/tcp_wmem`]: '8192 32768 1048576',
  [`${ipv4}/ip_local_port_range`]: '20000 27999',
  [`${ipv4}/ip_default_ttl`]: '60',
  [`${ipv4}/tcp_fin_timeout`]: '45',
  [`${ipv4}/tcp_keepalive_time`]: '3600',
  [`${ipv4}/tcp_keepalive_intvl`]: '30',
  [`${ipv4}/tcp_keepalive_probes`]: '5',
  [`${ipv4}/tcp_syn_retries`]: '4',
  [`${ipv4}/tcp_synack_retries`]: '3',
  [`${ipv4}/tcp_tw_reuse`]: '0',
  '/proc/sys/net/core/somaxconn': '1024',
}

if (process.env['ELSEWHERE'] === undefined) {
  // Who is root may make one without a user namespace, and stays the same user.
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const { status, error } = spawnSync(
    'unshare',
    [...asRoot, '--net', process.execPath, import.meta.filename, ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, ELSEWHERE: '1' } },
  )
  if (error !== undefined) throw error
  process.exit(status ?? 1)
}

await import('./support/loopback-up.ts')
for (const [file, value] of Object.entries(settings)) {
  const before = words(file)
  writeFileSync(file, value)
  if (words(file) !== value) throw new Error(`${file} stays at ${before}`)
  console.log(`${file.replace('/proc/sys/', '').replaceAll('/', '.')}: ${value} in place of ${before}`)
}
delete process.env['ELSEWHERE']
const { status } = spawnSync('npm', ['test', '--', ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: join(import.meta.dirname, '..'),
})
process.exit(status ?? 1)

function words(file: string): string {
  return readFileSync(file, 'utf8').trim().replaceAll(/\s+/g, ' ')
}
