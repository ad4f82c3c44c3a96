// Wrong on purpose: does not look at what write returns. 512 messages of 65,536 bytes, for
// a client that does not read.

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

const server = createServer({ highWaterMark: 16_384 }).listen(0, '127.0.0.1')
await once(server, 'listening')
const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
const [socket] = (await once(server, 'connection')) as [Socket]

for (let i = 0; i < 512; i++) socket.write(Buffer.alloc(65_536))

// How much the kernel has taken of it differs from host to host; most of it, it has not.
const most = socket.writableLength > 16_777_216
console.log(most ? 'more than 16777216 of 33554432 bytes wait' : 'the kernel has taken them')

client.destroy()
socket.destroy()
server.close()
