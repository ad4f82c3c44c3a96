// Sizes in Node: node:dgram has the kernel's buffers, node:net has one of its own.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, Socket, type SocketConstructorOpts, createServer } from 'node:net'

// #region dgram
const socket = createSocket('udp4').bind(0, '127.0.0.1')
await once(socket, 'listening')
socket.setRecvBufferSize(20_000)
socket.setSendBufferSize(20_000)
console.log(`node:dgram: ${socket.getRecvBufferSize()} and ${socket.getSendBufferSize()} bytes`)
socket.close()
// #endregion dgram

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')

// #region net
const options: SocketConstructorOpts & { writableHighWaterMark: number } = {
  writableHighWaterMark: 20_000,
}
const stream = new Socket(options).connect((server.address() as AddressInfo).port, '127.0.0.1')
// While it connects, the kernel takes nothing yet: all is in the program's memory.
console.log(`node:net: write of 19999 bytes is ${stream.write(Buffer.alloc(19_999))}`)
console.log(`node:net: write of 1 byte more is ${stream.write('x')}`)
// #endregion net
stream.destroy()
server.close()
