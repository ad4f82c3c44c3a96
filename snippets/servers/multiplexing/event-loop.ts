// The event loop from outside: what Node has registered with epoll for
// a server and for both ends of a connection, read from
// /proc/self/fdinfo while data flows and while it is held up.

import { once } from 'node:events'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'

const BITS = { EPOLLIN: 0x1, EPOLLOUT: 0x4, EPOLLERR: 0x8, EPOLLHUP: 0x10, EPOLLET: 0x80000000 }
const { EPOLLIN } = BITS

// #region in-steps
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
await until(() => asked(server) === EPOLLIN)
tell('listening', { server })

const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
const [connection] = (await once(server, 'connection')) as [Socket]
await until(() => asked(connection) === EPOLLIN && asked(client) === EPOLLIN)
tell('connected', { connection, client })

connection.write(Buffer.alloc(32 * 1024 * 1024)) // more than the kernel holds, and nobody reads
await until(() => asked(connection) !== EPOLLIN && asked(client) === undefined)
tell('32 MiB written', { connection, client })

client.resume()
await once(connection, 'drain')
await until(() => asked(connection) === EPOLLIN && asked(client) === EPOLLIN)
tell('the client reads', { connection, client })
// #endregion in-steps

connection.end()
server.close()

// #region registered
/** The events that some epoll instance of this process watches a descriptor for. proc(5) */
function registered(socket: Server | Socket): number | undefined {
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle // not documented
  for (const epfd of readdirSync('/proc/self/fd')) {
    if (linkOf(epfd) !== 'anon_inode:[eventpoll]') continue
    const info = readFileSync(`/proc/self/fdinfo/${epfd}`, 'latin1')
    for (const [, watched, events] of info.matchAll(/^tfd: +(\d+) events: +([\da-f]+)/gm)) {
      if (Number(watched) === fd) return Number.parseInt(events!, 16)
    }
  }
  return undefined
}
// #endregion registered

/** What Node has asked for: the kernel adds EPOLLERR and EPOLLHUP. */
function asked(socket: Server | Socket): number | undefined {
  const events = registered(socket)
  return events === undefined ? undefined : events & ~(BITS.EPOLLERR | BITS.EPOLLHUP)
}

function tell(what: string, sockets: Record<string, Server | Socket>): void {
  console.log(what)
  for (const [name, socket] of Object.entries(sockets)) {
    const events = registered(socket)
    const names = Object.entries(BITS).filter(([, bit]) => (events ?? 0) & bit)
    console.log(`  ${name}: ${names.map(([bit]) => bit).join(' ') || 'not watched'}`)
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // the one with which the directory was read
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate() // a turn of the loop
}
