// The read with node:net, and what it has asked of epoll.
// usage: node node-net.ts PORT [HOST]

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node node-net.ts PORT [HOST]')
  process.exit(2)
}

// #region net
const server = createServer(async (conn) => {
  server.close() // one client is enough
  conn.on('data', (bytes) => {
    console.log(`data: ${JSON.stringify(bytes.toString())}`)
    conn.end()
  })
  conn.on('error', fail)
  for (let turn = 0; turn < 2; turn++) await setImmediate() // until the loop has waited once
  look(conn)
})
// #endregion net
server.on('error', fail)
server.listen(Number(port), host, () => {
  const { address, port } = server.address() as AddressInfo
  console.log(`listening on ${address.includes(':') ? `[${address}]` : address}:${port}`)
})

function fail(error: Error): void {
  console.error(error.message)
  process.exit(1)
}

// #region look
// What the kernel knows of the descriptor: its flags, and the events for which each epoll
// instance of this process watches it. proc_pid_fdinfo(5)
function look(conn: Socket): void {
  const { fd } = (conn as Socket & { _handle: { fd: number } })._handle
  const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(info(fd))![1]!, 8)
  console.log(`conn: ${(flags & 0o4000) === 0 ? 'blocking' : 'O_NONBLOCK'}`)
  for (const epfd of readdirSync('/proc/self/fd').filter(isEpoll)) {
    const events = new RegExp(`^tfd:\\s+${fd} events:\\s+([0-9a-f]+)`, 'm').exec(info(epfd))?.[1]
    if (events === undefined) continue
    const set = Object.entries(EVENTS).filter(([, bit]) => Number.parseInt(events, 16) & bit)
    console.log(`epoll watches conn: ${set.map(([name]) => name).join(' | ')}`)
  }
}

const EVENTS = {
  EPOLLIN: 0x1,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLLONESHOT: 0x40000000,
  EPOLLET: 0x80000000,
}
// #endregion look

function info(fd: number | string): string {
  return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')
}

function isEpoll(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]'
  } catch {
    return false // the descriptor by which the list was read
  }
}
