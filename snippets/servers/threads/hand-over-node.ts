// Can a socket of node:net be handed to a thread? This program needs Node 26.6 or later.
// usage: node hand-over-node.ts

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { type Transferable, Worker } from 'node:worker_threads'

const thread = new Worker(
  `const { parentPort, threadId } = require('node:worker_threads')
  parentPort.on('message', (socket) => {
    socket.on('data', (chunk) => socket.end('thread ' + threadId + ' has received ' + chunk))
  })`,
  { eval: true },
)

// #region attempts
console.log(await attempt('copied', (socket) => thread.postMessage(socket)))
console.log(
  await attempt('moved after it was read from', async (socket) => {
    socket.resume()
    await once(socket, 'data')
    thread.postMessage(socket, [socket as unknown as Transferable])
  }),
)
console.log(
  await attempt('moved before anything else', (socket) => {
    thread.postMessage(socket, [socket as unknown as Transferable])
  }),
)
// #endregion attempts
await thread.terminate()

/** Takes a client that says hello, and hands it over. */
async function attempt(what: string, handOver: (socket: Socket) => unknown): Promise<string> {
  const server = createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.write('hello')
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  try {
    await handOver(socket)
    const [answer] = (await once(client, 'data')) as [Buffer]
    return `${what}: ${answer}`
  } catch (error) {
    socket.destroy()
    const { name, code } = error as NodeJS.ErrnoException
    return `${what}: ${name === 'DataCloneError' ? name : code}`
  }
}
