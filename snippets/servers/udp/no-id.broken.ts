// A client of the echo server, wrong on purpose: it knows when to
// give up, and takes the next datagram that comes for the answer
// to its question.
// usage: node no-id.broken.ts HOST PORT MILLISECONDS

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const [host = '', port = '', limit = ''] = process.argv.slice(2)
const socket = createSocket('udp4')
socket.connect(Number(port), host)
await once(socket, 'connect')

// #region ask
for await (const question of createInterface({ input: process.stdin })) {
  socket.send(question)
  try {
    const signal = AbortSignal.timeout(Number(limit))
    const [answer] = (await once(socket, 'message', { signal })) as [Buffer]
    console.log(`${question}? ${answer}`)
  } catch {
    console.log(`${question}? no answer`)
  }
}
// #endregion ask
socket.close()
