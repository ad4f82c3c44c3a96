// A network with four ports for clients, and how many connections it can have.
// usage: node ports.ts (in a network of its own: unshare -Urn node ports.ts)

import { readFileSync, writeFileSync } from 'node:fs'
import {
  AF_INET,
  CLONE_NEWNET,
  IPPROTO_IP,
  IP_BIND_ADDRESS_NO_PORT,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  getsockname,
  linger,
  listen,
  recv,
  setInterfaceUp,
  setsockopt,
  sockaddr_in,
  socket,
  unshare,
} from '#posix'

interface Server {
  listenFd: number
  address: Buffer
}

interface Connection {
  clientFd: number
  connFd: number
}

const TIME_WAIT = 60 // s, TCP_TIMEWAIT_LEN in Linux's include/net/tcp.h
const RANGE = '/proc/sys/net/ipv4/ip_local_port_range'
const buf = Buffer.alloc(16)
const open: Connection[] = []

try {
  unshare(CLONE_NEWNET) // a network of our own, whose settings may be changed
  setInterfaceUp('lo')
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region default
const [from, to] = readFileSync(RANGE, 'latin1').split(/\s+/).map(Number)
const ports = to! - from! + 1
console.log(`by default: ${ports} ports, ${Math.floor(ports / TIME_WAIT)} connections a second`)
// #endregion default

// #region range
set('ip_local_port_range', '50000 50099') // for the servers
const servers = [server('127.0.0.1'), server('127.0.0.1'), server('127.0.0.2')]
set('ip_local_port_range', '60000 60003') // for the clients
set('tcp_tw_reuse', '0')
// #endregion range

// #region destinations
for (const [i, to] of ['one server', 'another port', 'another address'].entries()) {
  console.log(`to ${to}: ${asManyAsPossible(() => servers[i]!)}`)
}
// #endregion destinations
resetAll()

// #region bind
let turn = 0
const inTurn = (): Server => servers[turn++ % servers.length]!
const bindEarly = (fd: number): void => bind(fd, sockaddr_in('127.0.0.1', 0))
console.log(`bind to port 0, then to each of the three: ${asManyAsPossible(inTurn, bindEarly)}`)
resetAll()

const bindLate = (fd: number): void => {
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
  bindEarly(fd)
}
console.log(`with IP_BIND_ADDRESS_NO_PORT: ${asManyAsPossible(inTurn, bindLate)}`)
// #endregion bind
resetAll()

// #region time-wait
const [first] = servers
asManyAsPossible(() => first!)
for (const { clientFd, connFd } of open.splice(0)) end(connFd, clientFd)
console.log(`the server has closed first: ${asManyAsPossible(() => first!)}`)
for (const { clientFd, connFd } of open.splice(0)) end(clientFd, connFd)
console.log(`the clients have closed first: ${asManyAsPossible(() => first!)}`)

set('tcp_tw_reuse', '1')
const began = performance.now()
while (asManyAsPossible(() => first!).startsWith('0')) sleep(10)
console.log(`with tcp_tw_reuse: a connection after ${(performance.now() - began).toFixed()} ms`)
// #endregion time-wait
resetAll()

// #region as-many
/** Connects until no port is left, and says how often that went well, and what failed then. */
function asManyAsPossible(to: () => Server, before = (_fd: number): void => {}): string {
  for (let made = 0; ; made++) {
    const clientFd = socket(AF_INET, SOCK_STREAM, 0)
    const { listenFd, address } = to()
    try {
      before(clientFd)
      connect(clientFd, address)
    } catch (error) {
      close(clientFd)
      const { syscall, code } = error as SystemError
      return `${made}, then ${syscall} ${code}`
    }
    open.push({ clientFd, connFd: accept(listenFd) })
  }
}
// #endregion as-many

function server(host: string): Server {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  bind(listenFd, sockaddr_in(host, 0))
  listen(listenFd, 1)
  return { listenFd, address: getsockname(listenFd, sockaddr_in(host, 0)) }
}

/** Closes one end after the other: the first one has the TIME_WAIT. */
function end(firstFd: number, secondFd: number): void {
  close(firstFd)
  recv(secondFd, buf, buf.length, 0) // 0
  close(secondFd)
}

/** Gives all ports back at once, without a TIME_WAIT. */
function resetAll(): void {
  for (const { clientFd, connFd } of open.splice(0)) {
    setsockopt(clientFd, SOL_SOCKET, SO_LINGER, linger(true, 0))
    for (const fd of [clientFd, connFd]) close(fd)
  }
}

function set(name: string, value: string): void {
  writeFileSync(`/proc/sys/net/ipv4/${name}`, value)
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
