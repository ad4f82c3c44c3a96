// Four ways to lose what is under way in a stream.

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

// #region overtaken
{
  const decode = new Transform({
    readableObjectMode: true,
    transform(_chunk, _encoding, done) {
      for (const message of ['first', 'second', 'third']) this.push(message)
      done(new Error('a broken rule'))
    },
  })
  const served: string[] = []
  const serve = async (messages: AsyncIterable<string>): Promise<void> => {
    for await (const message of messages) served.push(message)
  }
  await pipeline(Readable.from(['bytes']), decode, serve).catch(() => {})
  console.log(`an error behind three messages: ${served.length} served`)
}
// #endregion overtaken

// #region loops
await afterLoop('break', { allowHalfOpen: true }, async (socket) => {
  for await (const _ of socket) break
})
await afterLoop('end of loop', { allowHalfOpen: true }, async (socket) => {
  for await (const _ of socket) continue
})
await afterLoop('destroyOnReturn: false', { allowHalfOpen: true }, async (socket) => {
  for await (const _ of socket.iterator({ destroyOnReturn: false })) continue
})
await afterLoop('allowHalfOpen: false', { allowHalfOpen: false }, async (socket) => {
  for await (const _ of socket.iterator({ destroyOnReturn: false })) continue
})
// #endregion loops

// #region after-loop
/** A client that sends a line and ends its direction. What does it get after the loop? */
async function afterLoop(
  name: string,
  options: { allowHalfOpen: boolean },
  loop: (socket: Socket) => Promise<void>,
): Promise<void> {
  const server = createServer(options).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('utf8')
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()

  let failure = 'no error'
  socket.on('error', (error: NodeJS.ErrnoException) => (failure = error.code ?? failure))
  client.end('hello\n')
  await loop(socket)
  socket.end('bye\n')
  const received = (await client.toArray()).join('')
  if (!socket.destroy().closed) await once(socket, 'close')
  console.log(`${name}: the client has ${JSON.stringify(received)}, ${failure}`)
}
// #endregion after-loop
