// Three ways to close a connection, and the segments of each.
// usage: node linger.ts (needs CAP_NET_RAW: unshare -Urn node linger.ts, with lo up)

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  linger,
  listen,
  setsockopt,
  sockaddr_in,
  socket,
  systemError,
  tryRecv,
  trySend,
} from '#posix'

const buf = Buffer.alloc(1024 * 1024)
let rawFd: number
try {
  rawFd = socket(AF_INET, SOCK_RAW, IPPROTO_TCP) // gets a copy of every TCP segment that arrives
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region three
closing('default, everything was read', { unread: false })
closing('default, the peer does not read', { unread: true })
closing('linger 0 s, everything was read', { unread: false, seconds: 0 })
closing('linger 0 s, the peer does not read', { unread: true, seconds: 0 })
closing('linger 1 s, everything was read', { unread: false, seconds: 1 })
closing('linger 1 s, the peer does not read', { unread: true, seconds: 1 })
// #endregion three

// #region closing
function closing(what: string, { unread, seconds }: { unread: boolean; seconds?: number }): void {
  console.log(what)
  const [clientFd, peerFd] = connection()
  if (seconds !== undefined) setsockopt(clientFd, SOL_SOCKET, SO_LINGER, linger(true, seconds))
  const { port } = endpoint(getsockname(clientFd, sockaddr_in('127.0.0.1', 0)))
  let sent = 0
  if (unread) {
    for (let n = 1; n > 0;) {
      n = trySend(clientFd, buf, buf.length, MSG_DONTWAIT)
      if (n > 0) sent += n
    }
  }
  while (tryRecv(rawFd, buf, buf.length, MSG_DONTWAIT) > 0); // what was before the close

  const began = performance.now()
  close(clientFd)
  const took = performance.now() - began
  console.log(
    `  close has waited: ${took < 900 ? 'no' : `yes, and returned after ${took.toFixed()} ms`}`,
  )

  let received = 0
  let n = tryRecv(peerFd, buf, buf.length, 0)
  for (; n > 0; n = tryRecv(peerFd, buf, buf.length, 0)) received += n
  const end = n === 0 ? 'the end' : systemError('recv', n).code
  const part = received === sent ? 'all' : 'a part'
  console.log(`  the peer reads ${unread ? `${part} of it, then ` : ''}${end}`)
  close(peerFd)
  let left = state(port!)
  while (left.startsWith('state')) left = state(port!) // until the last segment is here
  console.log(`  segments: ${segments(port!).join(', ')}`)
  console.log(`  left behind: ${left}`)
}
// #endregion closing

// #region segments
/** The segments with FIN or RST, from the raw socket: an IP header, then a TCP header. RFC 9293, 3.1 */
function segments(port: number): string[] {
  const seen: string[] = []
  let n = tryRecv(rawFd, buf, buf.length, MSG_DONTWAIT)
  for (; n > 0; n = tryRecv(rawFd, buf, buf.length, MSG_DONTWAIT)) {
    const tcp = buf.subarray((buf[0]! & 0xf) * 4, n)
    const [ours, theirs] = [tcp.readUInt16BE(0) === port, tcp.readUInt16BE(2) === port]
    const flags = tcp[13]! & 0x04 ? 'RST' : tcp[13]! & 0x01 ? 'FIN' : ''
    if ((ours || theirs) && flags !== '') seen.push(`${flags} from ${ours ? 'us' : 'the peer'}`)
  }
  return seen
}
// #endregion segments

// #region state
/** What the kernel still has of the connection, by our port. proc(5), /proc/net/tcp */
function state(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const rows = readFileSync('/proc/thread-self/net/tcp', 'latin1').split('\n').slice(1)
  const row = rows
    .map((line) => line.trim().split(/\s+/))
    .find((cells) => cells[1]?.endsWith(`:${hex}`))
  const names: Record<string, string> = { '06': 'TIME_WAIT' }
  return row === undefined ? 'nothing' : (names[row[3]!] ?? `state ${row[3]}`)
}
// #endregion state

function connection(): [number, number] {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_RCVBUF, 16_384) // little, so that the raw socket gets it all
  bind(listenFd, sockaddr_in('127.0.0.1', 0))
  listen(listenFd, 1)
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(clientFd, SOL_SOCKET, SO_SNDBUF, 16_384)
  connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
  const peerFd = accept(listenFd)
  close(listenFd)
  return [clientFd, peerFd]
}
