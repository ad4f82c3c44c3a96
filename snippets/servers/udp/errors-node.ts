// What node:dgram says of datagrams that are too long, and of
// those for a port that nobody has.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const nobody = 1 // a port that is not in use
const plain = createSocket('udp4')
plain.on('error', (error) => console.log(`event error: ${error.message}`))

// #region lengths
const receiver = createSocket('udp4')
receiver.bind(0, '127.0.0.1')
await once(receiver, 'listening')
const { port } = receiver.address()

await send(plain, 65_507, port)
const [message] = (await once(receiver, 'message')) as [Buffer]
console.log(`event message: ${message.length} bytes, in one piece`)
await send(plain, 65_508, port)
// The same without a callback:
plain.send(Buffer.alloc(65_508), port, '127.0.0.1')
await delay(100)
console.log('without a callback: nothing in 100 ms')
receiver.close()
// #endregion lengths

// #region unconnected
await send(plain, 5, nobody)
await send(plain, 5, nobody)
await delay(100)
console.log('not connected: nothing more in 100 ms')
plain.close()
// #endregion unconnected

// #region connected
const connected = createSocket('udp4')
connected.connect(nobody, '127.0.0.1')
await once(connected, 'connect') // it has sent nothing
await send(connected, 5)
// Without a listener it would be thrown.
const [error] = (await once(connected, 'error')) as [Error]
console.log(`event error: ${error.message}`)
connected.close()
// #endregion connected

/** Sends so many bytes, and prints what the callback is told. */
async function send(socket: Socket, length: number, port?: number): Promise<void> {
  const error = await new Promise<Error | null>((done) => {
    if (port === undefined) socket.send(Buffer.alloc(length), done)
    else socket.send(Buffer.alloc(length), port, '127.0.0.1', done)
  })
  const to = port === undefined ? 'the peer' : port === nobody ? 'nobody' : 'the receiver'
  console.log(`send ${length} bytes to ${to}: ${error?.message ?? 'no error'}`)
}
