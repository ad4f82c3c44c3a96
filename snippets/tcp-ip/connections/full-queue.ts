// What becomes of the clients for whom the accept queue has no room, and who counts them.
// usage: node full-queue.ts (in a network of its own: unshare -Urn node full-queue.ts)

import { readFileSync, writeFileSync } from 'node:fs'
import {
  AF_INET,
  CLONE_NEWNET,
  IPPROTO_TCP,
  POLLIN,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SystemError,
  TCP_DEFER_ACCEPT,
  TCP_INFO,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  getsockopt,
  listen,
  poll,
  pollfds,
  recv,
  send,
  setInterfaceUp,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  unshare,
} from '#posix'

const LIMIT = 10_000 // ms
const states = new Map([
  ['01', 'ESTABLISHED'],
  ['02', 'SYN_SENT'],
  ['03', 'SYN_RECV'],
])
const buf = Buffer.alloc(16)

try {
  unshare(CLONE_NEWNET) // a network of our own, whose settings may be changed
  setInterfaceUp('lo')
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
const address = getsockname(listenFd, sockaddr_in('127.0.0.1', 0))

// #region backlog
for (const backlog of [1_000_000, 1]) {
  listen(listenFd, backlog) // may be called again, and then changes the limit
  console.log(`listen(listenFd, ${backlog}): ${queue()}`)
}
// #endregion backlog

console.log('a full queue:')
const early = half()
const queued = fill()

// #region ack
console.log(`  a client that connected before: ${ends(early)}`)
send(early, Buffer.from('hello'), 5, 0)
until(() => counter('ListenOverflows') > 0)
console.log(`  it has sent something: ${ends(early)}`)
// #endregion ack

// #region syn
const before = counter('ListenDrops')
const late = client(SOCK_NONBLOCK)
until(() => counter('ListenDrops') > before)
console.log(`  a client that connects now: ${ends(late)}`)
// #endregion syn

// #region room
const accepted = [early, late, ...queued].map(() => accept(listenFd))
const greeted = readable(accepted)
recv(greeted, buf, buf.length, 0)
console.log(`  accept, four times: ${buf.toString('latin1', 0, 5)} has arrived`)
// #endregion room
for (const fd of [early, late, ...queued, ...accepted]) close(fd)

// #region abort
writeFileSync('/proc/sys/net/ipv4/tcp_abort_on_overflow', '1')
console.log('a full queue, and tcp_abort_on_overflow:')
const refused = half()
const others = fill()
send(refused, Buffer.from('hello'), 5, 0)
readable([refused])
const { code } = systemError('recv', tryRecv(refused, buf, buf.length, 0))
console.log(`  a client that connected before has sent something: ${code}`)
const drops = counter('ListenDrops')
const dropped = client(SOCK_NONBLOCK)
until(() => counter('ListenDrops') > drops)
console.log(`  a client that connects now: ${ends(dropped)}`)
// #endregion abort
for (const fd of [refused, dropped, ...others, listenFd]) close(fd)

// #region half
/** A client whose last ACK the server does not take, since it waits for something to be sent. */
function half(): number {
  const before = counter('TCPDeferAcceptDrop')
  setsockopt(listenFd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 60)
  const fd = client()
  until(() => counter('TCPDeferAcceptDrop') > before)
  setsockopt(listenFd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0)
  return fd
}
// #endregion half

/** Clients for the backlog of 1, and one more. */
function fill(): number[] {
  const clients = [client(), client()]
  until(() => queue().startsWith('2'))
  console.log(`  two clients: ${queue()}`)
  return clients
}

/** Connects, and with SOCK_NONBLOCK does not wait for what becomes of it. */
function client(flags = 0): number {
  const fd = socket(AF_INET, SOCK_STREAM | flags, 0)
  try {
    connect(fd, address)
  } catch (error) {
    if ((error as SystemError).code !== 'EINPROGRESS') throw error
  }
  return fd
}

/** Of a listening socket TCP_INFO has the accept queue, and its limit. */
function queue(): string {
  const info = Buffer.alloc(104)
  getsockopt(listenFd, IPPROTO_TCP, TCP_INFO, info)
  return `${info.readUInt32LE(24)} of ${info.readUInt32LE(28)} in the queue`
}

// #region ends
/** The state of both ends of a connection, in /proc/net/tcp. */
function ends(fd: number): string {
  const [own, server] = [getsockname(fd, sockaddr_in('127.0.0.1', 0)), address].map(hexPort)
  const rows = readFileSync('/proc/thread-self/net/tcp', 'latin1').trim().split('\n').slice(1)
  const cells = rows.map((row) => row.trim().split(/\s+/))
  const state = (local: string, remote: string): string => {
    const row = cells.find((cell) => cell[1]!.endsWith(local) && cell[2]!.endsWith(remote))
    return row === undefined ? 'none' : (states.get(row[3]!) ?? row[3]!)
  }
  return `client ${state(own!, server!)}, server ${state(server!, own!)}`
}

function hexPort(addr: Buffer): string {
  return `:${endpoint(addr).port!.toString(16).toUpperCase().padStart(4, '0')}`
}
// #endregion ends

// #region counter
/** A counter of this network: a line of names and a line of numbers. */
function counter(name: string): number {
  const lines = readFileSync('/proc/thread-self/net/netstat', 'latin1').split('\n')
  const [names, values] = lines.filter((line) => line.startsWith('TcpExt:'))
  return Number(values!.split(' ')[names!.split(' ').indexOf(name)])
}
// #endregion counter

/** Waits for what the kernel does by itself, and tells of in a counter only. */
function until(reached: () => boolean): void {
  const end = performance.now() + LIMIT
  while (!reached()) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT} ms`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }
}

/** Waits for the first of them that has something to read, be it an error. */
function readable(all: number[]): number {
  const fds = pollfds(all.length)
  for (const [i, fd] of all.entries()) fds.set(i, fd, POLLIN)
  if (poll(fds, all.length, LIMIT) === 0) throw new Error(`not within ${LIMIT} ms`)
  return all.find((_fd, i) => fds.revents(i) !== 0)!
}
