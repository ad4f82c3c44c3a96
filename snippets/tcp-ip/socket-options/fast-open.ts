// TCP_FASTOPEN: data in the SYN, from the second connection on.
// usage: node fast-open.ts (needs a network of its own: unshare -Urn node fast-open.ts,
// with lo up)

import { writeFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  MSG_FASTOPEN,
  SOCK_STREAM,
  TCP_FASTOPEN,
  TCP_INFO,
  accept,
  bind,
  close,
  getsockname,
  getsockopt,
  listen,
  recv,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const TCPI_OPT_SYN_DATA = 32 // linux/tcp.h

try {
  // #region server
  writeFileSync('/proc/sys/net/ipv4/tcp_fastopen', '3') // 1 for clients, 2 for servers
  const addr = sockaddr_in('127.0.0.1', 0)
  const listenFd = socket(AF_INET, SOCK_STREAM, 0)
  bind(listenFd, addr)
  setsockopt(listenFd, IPPROTO_TCP, TCP_FASTOPEN, 5) // how many may be half open
  listen(listenFd, 8)
  getsockname(listenFd, addr)
  // #endregion server

  // #region client
  for (const time of ['first', 'second']) {
    const clientFd = socket(AF_INET, SOCK_STREAM, 0)
    sendto(clientFd, Buffer.from('hello'), 5, MSG_FASTOPEN, addr) // connect and send in one
    const connFd = accept(listenFd)
    const buf = Buffer.alloc(16)
    const n = recv(connFd, buf, buf.length, 0)
    const info = Buffer.alloc(256)
    getsockopt(clientFd, IPPROTO_TCP, TCP_INFO, info)
    const inSyn = (info[5]! & TCPI_OPT_SYN_DATA) !== 0 // tcpi_options
    console.log(
      `the ${time} connection: ${n} bytes, ${inSyn ? 'in the SYN' : 'after the handshake'}`,
    )
    for (const fd of [clientFd, connFd]) close(fd)
  }
  // #endregion client
  close(listenFd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
