// A link in the middle that takes less than both ends: what the sender is told, and learns.
// usage: node path-mtu.ts (in a network of its own: unshare -Urn node path-mtu.ts)

import { writeFileSync } from 'node:fs'
import {
  AF_INET,
  AF_PACKET,
  ETH_P_IP,
  IPPROTO_TCP,
  MSG_WAITALL,
  type Network,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
  TCP_INFO,
  accept,
  bind,
  cable,
  close,
  connect,
  getsockname,
  getsockopt,
  htons,
  listen,
  network,
  packet,
  poll,
  pollfds,
  recv,
  send,
  setInterfaceAddress,
  setInterfaceMtu,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const LIMIT = 5000 // ms
const buf = Buffer.alloc(65_536)

try {
  // #region path
  const [client, router, server] = [network(), network(), network()]
  cable('left', client, router)
  cable('right', router, server)
  // The router answers for all addresses that are not on the asking side, so that nobody needs a
  // route: to the two hosts the whole of 10.0.0.0/8 is one link. arp(7)
  router.within(() => {
    setInterfaceAddress('left', '10.0.1.1', '255.255.255.0')
    setInterfaceAddress('right', '10.0.2.1', '255.255.255.0')
    setInterfaceMtu('right', 1000)
    for (const name of ['left', 'right']) set(`conf/${name}/proxy_arp`)
    set('ip_forward')
  })
  client.within(() => setInterfaceAddress('left', '10.0.1.2', '255.0.0.0'))
  server.within(() => setInterfaceAddress('right', '10.0.2.2', '255.0.0.0'))
  // #endregion path

  const listenFd = socketIn(server)
  bind(listenFd, sockaddr_in('10.0.2.2', 0))
  listen(listenFd, 1)
  const clientFd = socketIn(client)
  connect(clientFd, getsockname(listenFd, sockaddr_in('0.0.0.0', 0)))
  const connFd = accept(listenFd)
  const wireFd = client.within(() => socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)))

  // #region send
  console.log(`the client believes in an MTU of ${mtu(clientFd)}`)
  send(clientFd, buf, 1448, 0)
  console.log(`the router: ${fromRouter(wireFd)}`)
  recv(connFd, buf, 1448, MSG_WAITALL)
  console.log(`all has come; the client has learnt of an MTU of ${mtu(clientFd)}`)
  // #endregion send
  for (const fd of [clientFd, connFd, listenFd, wireFd]) close(fd)
  for (const each of [client, router, server]) each.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

/** The MTU of the path, as a socket's TCP takes it to be: tcpi_pmtu of struct tcp_info. */
function mtu(fd: number): number {
  const info = Buffer.alloc(256)
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
  return info.readUInt32LE(60)
}

// #region from-router
/** The message of ICMP that a router sends in place of a packet that is too long. RFC 1191, 4 */
function fromRouter(wireFd: number): string {
  for (;;) {
    const fds = pollfds(1)
    fds.set(0, wireFd, POLLIN)
    if (poll(fds, 1, LIMIT) === 0) throw new Error(`no packet within ${LIMIT} ms`)
    const bytes = buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0))
    const { source, icmp } = packet(bytes)
    if (icmp?.type !== 3 || icmp.code !== 4) continue
    const next = bytes.readUInt16BE((bytes[0]! & 0xf) * 4 + 6)
    return `${source.address} cannot pass it on: the next link takes ${next} bytes`
  }
}
// #endregion from-router

function socketIn(place: Network): number {
  return place.within(() => socket(AF_INET, SOCK_STREAM, 0))
}

/** Sets a sysctl of this network to 1. */
function set(name: string): void {
  writeFileSync(`/proc/sys/net/ipv4/${name}`, '1')
}
