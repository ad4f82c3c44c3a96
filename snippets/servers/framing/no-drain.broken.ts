// Wrong on purpose: does not look at what write returns. 512 messages of 65,536 bytes,
// for a client that does not read.

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

const server = createServer({ highWaterMark: 16_384 }).listen(0, '127.0.0.1')
await once(server, 'listening')
const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
const [socket] = (await once(server, 'connection')) as [Socket]

for (let i = 0; i < 512; i++) socket.write(Buffer.alloc(65_536))

// How much of it the kernel has taken differs from host to host.
if (socket.writableLength > 16_777_216) console.log('more than 16777216 bytes wait')

client.destroy()
socket.destroy()
server.close()
