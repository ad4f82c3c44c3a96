// A client of the echo server, wrong on purpose: it relies on its
// answer.
// usage: node wait-for-ever.broken.ts ADDRESS PORT TEXT

import { writeSync } from 'node:fs'
import { SOCK_DGRAM, connect, family, recv, send, sockaddr, socket } from '#posix'

const [host = '', port = '', text = ''] = process.argv.slice(2)
const addr = sockaddr(host, Number(port))
const fd = socket(family(addr), SOCK_DGRAM, 0)
connect(fd, addr)

// #region wait
const request = Buffer.from(text)
// It succeeds, and that says nothing of what becomes of the
// request.
send(fd, request, request.length, 0)
writeSync(1, `sent: ${text}\n`)
const buffer = Buffer.alloc(65_536)
// If one of the two datagrams is lost, it waits for ever.
const length = recv(fd, buffer, buffer.length, 0)
writeSync(1, `received: ${buffer.toString('utf8', 0, length)}\n`)
// #endregion wait
