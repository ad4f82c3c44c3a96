// Sizes in Node: node:dgram has the kernel's buffers, node:net has one of its own.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Socket, type SocketConstructorOpts } from 'node:net'

// #region dgram
const socket = createSocket('udp4').bind(0, '127.0.0.1')
await once(socket, 'listening')
socket.setRecvBufferSize(20_000)
socket.setSendBufferSize(20_000)
console.log(`node:dgram: ${socket.getRecvBufferSize()} and ${socket.getSendBufferSize()} bytes`)
socket.close()
// #endregion dgram

// #region net
const options: SocketConstructorOpts & { writableHighWaterMark: number } = {
  writableHighWaterMark: 20_000,
}
const stream = new Socket(options)
console.log(`node:net: write says false from ${stream.writableHighWaterMark} bytes of its own on`)
stream.destroy()
// #endregion net
