// A server has 512 messages of 65,536 bytes for a client that does not read. How many
// bytes wait in the memory of the process?

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'

// #region messages
function* messages(): Generator<Buffer> {
  for (let i = 0; i < 512; i++) yield Buffer.alloc(65_536)
}
// #endregion messages

// #region drain
async function withDrain(socket: Socket): Promise<void> {
  for (const message of messages()) {
    const room = socket.write(message)
    if (!room) await once(socket, 'drain')
  }
  socket.end()
}
// #endregion drain

// #region pipeline
async function withPipeline(socket: Socket): Promise<void> {
  await pipeline(Readable.from(messages()), socket)
}
// #endregion pipeline

for (const sendAll of [withDrain, withPipeline]) {
  const most = await waiting(sendAll)
  console.log(`${sendAll.name}: at most ${most} bytes wait`)
}

// #region waiting
async function waiting(sendAll: (socket: Socket) => Promise<void>): Promise<number> {
  const server = createServer({ highWaterMark: 16_384 }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()

  const sent = sendAll(socket)
  // Until the kernel takes no more. Only then does the client begin to read.
  while (socket.writableLength === 0) await setImmediate()
  let most = socket.writableLength
  client.resume()
  while (!client.closed) {
    await setImmediate()
    most = Math.max(most, socket.writableLength)
  }
  await sent
  return most
}
// #endregion waiting
