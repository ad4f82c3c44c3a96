// A client of the echo server, wrong on purpose: it relies on its answer.
// usage: node wait-for-ever.broken.ts ADDRESS PORT TEXT

import { writeSync } from 'node:fs'
import { SOCK_DGRAM, connect, family, recv, send, sockaddr, socket } from '#posix'

const [host = '', port = '', text = ''] = process.argv.slice(2)
const addr = sockaddr(host, Number(port))
const fd = socket(family(addr), SOCK_DGRAM, 0)
connect(fd, addr)

// #region wait
const request = Buffer.from(text)
send(fd, request, request.length, 0) // succeeds, and says nothing about what becomes of it
writeSync(1, `sent: ${text}\n`)
const buffer = Buffer.alloc(65_536)
const length = recv(fd, buffer, buffer.length, 0) // one of two datagrams was lost: for ever
writeSync(1, `received: ${buffer.toString('utf8', 0, length)}\n`)
// #endregion wait
