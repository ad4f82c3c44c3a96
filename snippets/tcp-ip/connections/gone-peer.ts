// Three peers that say nothing more: one whose program hangs, one that is gone, and one that is
// gone while something is on its way to it.
// usage: node gone-peer.ts (in a network of its own: unshare -Urn node gone-peer.ts)

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  AF_PACKET,
  ETH_P_IP,
  IPPROTO_TCP,
  type Network,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_USER_TIMEOUT,
  TH_RST,
  accept,
  bind,
  cable,
  close,
  connect,
  endpoint,
  getsockname,
  htons,
  listen,
  network,
  packet,
  poll,
  pollfds,
  send,
  setInterfaceAddress,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
} from '#posix'

const LIMIT = 30_000 // ms
const MASK = '255.255.255.0'
const buf = Buffer.alloc(65_536)

interface Connection {
  fd: number
  peerFd: number
  port: number
  /** What has reached the host of the peer, since that is gone. */
  arrived: string[]
  result?: string
}

try {
  const [here, there] = [network(), network()]
  cable('cable', here, there)
  here.within(() => setInterfaceAddress('cable', '10.0.0.1', MASK))
  there.within(() => setInterfaceAddress('cable', '10.0.0.2', MASK))
  there.within(() => setInterfaceAddress('cable:1', '10.0.0.3', MASK)) // a second address
  const hanging = connection(here, there, '10.0.0.2')
  const silent = connection(here, there, '10.0.0.3')
  const sending = connection(here, there, '10.0.0.3')
  const wireFd = there.within(() => socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)))

  // #region gone
  // 10.0.0.3 is no address of that host any more. No FIN and no RST says so.
  there.within(() => setInterfaceAddress('cable:1', '10.0.0.4', MASK))
  // #endregion gone

  // #region options
  for (const { fd } of [hanging, silent, sending]) {
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1) // seconds of silence before the first probe
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1) // seconds from one probe to the next
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, 2) // so many without an answer
  }
  setsockopt(sending.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000) // milliseconds
  send(sending.fd, Buffer.from('hello'), 5, 0)
  // #endregion options

  // #region wait
  const all = [hanging, silent, sending]
  const began = performance.now()
  while (silent.result === undefined || sending.result === undefined) {
    const open = all.filter(({ result }) => result === undefined)
    const fds = pollfds(open.length + 1)
    fds.set(0, wireFd, POLLIN)
    for (const [i, { fd }] of open.entries()) fds.set(i + 1, fd, POLLIN)
    if (poll(fds, open.length + 1, LIMIT) === 0) throw new Error(`nothing within ${LIMIT} ms`)
    if (fds.revents(0) !== 0) note(wireFd, all)
    for (const [i, one] of open.entries()) {
      if (fds.revents(i + 1) === 0) continue
      const { code } = systemError('recv', tryRecv(one.fd, buf, buf.length, 0))
      const elapsed = performance.now() - began
      one.result = `${code} after ${elapsed.toFixed()} ms`
      if (one === silent) one.result += `, not before 3 s: ${elapsed > 2900}`
    }
  }
  while (ready(wireFd)) note(wireFd, all)
  // #endregion wait

  tell('gone, and nothing to say', silent)
  tell('gone, with 5 bytes on the way', sending)
  tell('its program hangs', hanging)

  // #region default
  const [time, interval, probes] = ['time', 'intvl', 'probes'].map((name) =>
    here.within(() => Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'latin1'))),
  )
  const total = time! + interval! * probes!
  console.log(`by default: ${time} s + ${probes} × ${interval} s = ${total} s`)
  // #endregion default
  for (const { fd, peerFd } of all) for (const end of [fd, peerFd]) close(end)
  for (const each of [here, there]) each.close()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

function connection(here: Network, there: Network, address: string): Connection {
  const listenFd = there.within(() => socket(AF_INET, SOCK_STREAM, 0))
  bind(listenFd, sockaddr_in(address, 0))
  listen(listenFd, 1)
  const fd = here.within(() => socket(AF_INET, SOCK_STREAM, 0))
  connect(fd, getsockname(listenFd, sockaddr_in('0.0.0.0', 0)))
  const peerFd = accept(listenFd) // and nothing more is done with it
  close(listenFd)
  const { port } = endpoint(getsockname(fd, sockaddr_in('0.0.0.0', 0)))
  return { fd, peerFd, port: port!, arrived: [] }
}

/** Whose the next packet is, and what it is. */
function note(wireFd: number, all: Connection[]): void {
  const { source, bytes, tcp } = packet(buf.subarray(0, tryRecv(wireFd, buf, buf.length, 0)))
  if (tcp === undefined) return
  const what = bytes > 0 ? `${bytes} bytes` : tcp.flags & TH_RST ? 'RST' : 'a probe'
  all.find(({ port }) => port === source.port)?.arrived.push(what)
}

function ready(fd: number): boolean {
  const fds = pollfds(1)
  fds.set(0, fd, POLLIN)
  return poll(fds, 1, 0) > 0
}

function tell(what: string, { arrived, result }: Connection): void {
  const isCounted = result?.includes('3 s') // the others go on as often as the time allows
  const isOne = arrived.every((what) => what === arrived[0])
  const shown = isCounted || arrived.length < 2 || !isOne ? arrived : [arrived[0], 'and again']
  console.log(`${what}: ${shown.join(', ')}; ${result ?? 'still connected'}`)
}
