// TCP_NODELAY, TCP_CORK and TCP_QUICKACK: when three small sends become segments.
// TCP_INFO counts.
// usage: node when-to-send.ts

import {
  AF_INET,
  IPPROTO_TCP,
  MSG_WAITALL,
  SOCK_STREAM,
  TCP_CORK,
  TCP_INFO,
  TCP_NODELAY,
  TCP_QUICKACK,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const buf = Buffer.alloc(8)
const info = Buffer.alloc(256)
const LIMIT = 20 // milliseconds; a delayed acknowledgement is sent after 40 at the earliest

// #region three-sends
let lines: string[] = []
let took = LIMIT
while (took >= LIMIT) {
  // A machine that pauses lets TCP send what it has held back: then measure again.
  const began = performance.now()
  lines = compare(began)
  took = performance.now() - began
}
for (const line of lines) console.log(line)

function compare(began: number): string[] {
  const lines: string[] = []
  for (const [name, option] of Object.entries({ neither: 0, TCP_NODELAY, TCP_CORK })) {
    const [clientFd, connFd] = connection()
    if (option !== 0) setsockopt(clientFd, IPPROTO_TCP, option, 1)
    setsockopt(connFd, IPPROTO_TCP, TCP_QUICKACK, 0) // acknowledge later
    for (const text of ['a', 'b', 'c']) send(clientFd, Buffer.from(text), 1, 0)
    lines.push(`${name}: 3 sends, ${segments(clientFd)}`)
    // #endregion three-sends

    // #region release
    if (option === TCP_CORK) {
      setsockopt(clientFd, IPPROTO_TCP, TCP_CORK, 0)
      lines.push(`${name}: pulled out, ${segments(clientFd)}`)
    }
    lines.push(`${name}: recv, ${recv(connFd, buf, 3 - counts(clientFd).held, MSG_WAITALL)} bytes`)
    setsockopt(connFd, IPPROTO_TCP, TCP_QUICKACK, 1) // what is due is acknowledged now
    while (counts(clientFd).unacknowledged > 0 && performance.now() - began < LIMIT);
    lines.push(`${name}: after the acknowledgement, ${segments(clientFd)}`)
    // #endregion release
    close(clientFd)
    close(connFd)
  }
  return lines
}

// #region info
/** From struct tcp_info, linux/tcp.h: unacked, notsent_bytes and data_segs_out. */
function counts(fd: number) {
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
  const [unacknowledged, held, sent] = [24, 144, 156].map((at) => info.readUInt32LE(at))
  return { unacknowledged: unacknowledged!, held: held!, sent: sent! }
}

function segments(fd: number): string {
  const { sent, held } = counts(fd)
  return `segments with data: ${sent}, bytes held back: ${held}`
}
// #endregion info

function connection(): [number, number] {
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  bind(listenFd, sockaddr_in('127.0.0.1', 0))
  listen(listenFd, 1)
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, getsockname(listenFd, sockaddr_in('127.0.0.1', 0)))
  const connFd = accept(listenFd)
  close(listenFd)
  return [clientFd, connFd]
}
