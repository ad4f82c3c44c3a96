// The options of node:net and node:dgram, and those of their descriptors.
// usage: node node-options.ts

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import {
  IPPROTO_TCP,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
  getsockoptInt,
  setsockopt,
} from '#posix'

// #region descriptor
/** The descriptor is in no API of Node: `_handle` may change in any version. */
function fdOf(socket: object): number {
  return (socket as { _handle: { fd: number } })._handle.fd
}
// #endregion descriptor

const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
console.log(`a server: SO_REUSEADDR ${getsockoptInt(fdOf(server), SOL_SOCKET, SO_REUSEADDR)}`)

// #region api
const socket = connect(port, '127.0.0.1')
const [peer] = (await once(server, 'connection')) as [Socket]
if (socket.connecting) await once(socket, 'connect')
show('at first')
socket.setNoDelay(true)
socket.setKeepAlive(true, 5000) // milliseconds
show('setNoDelay(true), setKeepAlive(true, 5000)')
// #endregion api

// #region no-api
const fd = fdOf(socket)
setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20)
setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, 3)
setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 65_000)
show('by the descriptor')
// #endregion no-api

// #region reset
peer.resume()
socket.resetAndDestroy()
const [error] = (await once(peer, 'error')) as [NodeJS.ErrnoException]
console.log(`the peer after resetAndDestroy: ${error.code}`)
server.close()
// #endregion reset

// #region dgram
const udp = createSocket({ type: 'udp4', recvBufferSize: 10_000 })
udp.bind(0, '127.0.0.1')
await once(udp, 'listening')
udp.setBroadcast(true)
udp.setTTL(3)
console.log(`dgram: recvBufferSize 10000 is ${udp.getRecvBufferSize()}`)
udp.close()
// #endregion dgram

function show(what: string): void {
  const [S, T] = [SOL_SOCKET, IPPROTO_TCP]
  const read = (level: number, name: number) => getsockoptInt(fdOf(socket), level, name)
  console.log(what)
  console.log(`  TCP_NODELAY ${read(T, TCP_NODELAY)}, SO_KEEPALIVE ${read(S, SO_KEEPALIVE)}`)
  if (read(S, SO_KEEPALIVE) === 0) return
  const [idle, interval, count] = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((n) => read(T, n))
  console.log(`  keepalive after ${idle} s, then ${count} times every ${interval} s`)
  console.log(`  TCP_USER_TIMEOUT ${read(T, TCP_USER_TIMEOUT)}`)
}
