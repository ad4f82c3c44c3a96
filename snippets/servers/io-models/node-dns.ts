// Two ways to ask for an address, while every thread of libuv's pool waits for something else.
// usage: node node-dns.ts

import { createSocket } from 'node:dgram'
import { Resolver, lookup } from 'node:dns'
import { once } from 'node:events'
import { read } from 'node:fs'

// #region full
const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
for (let i = 0; i < threads; i++) {
  read(0, Buffer.alloc(1), 0, 1, null, () => {})
}
console.log('each thread of the pool waits in a read of standard input')
// #endregion full

// #region server
// A name server of our own. It knows no name: each question goes back as its answer.
const server = createSocket('udp4')
server.on('message', (question, { port, address }) => {
  question.writeUInt8(question.readUInt8(2) | 0x80, 2) // an answer. RFC 1035, section 4.1.1
  question.writeUInt8((question.readUInt8(3) & 0xf0) | 3, 3) // no such name
  server.send(question, port, address)
})
server.bind(0, '127.0.0.1')
await once(server, 'listening')
// #endregion server

// #region ask
let lookedUp = false
lookup('localhost', { family: 4 }, (error, address) => {
  lookedUp = true
  console.log(`dns.lookup: ${error?.code ?? address}`)
})
const resolver = new Resolver()
resolver.setServers([`127.0.0.1:${server.address().port}`])
resolver.resolve4('nobody.test', (error, addresses) => {
  console.log(`dns.resolve4: ${error?.code ?? addresses}`)
  if (!lookedUp) console.log('dns.lookup: nothing yet')
  server.close()
})
// #endregion ask
