// One line to the reversing server and its reply, with a limit on silence, on Node's own
// sockets.
// usage: node timeouts-node.ts HOST PORT [MILLISECONDS]

import { once } from 'node:events'
import { connect } from 'node:net'

const [host = '', port = '', limit = '500'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || host === '') usage()
if (!/^[1-9]\d{0,6}$/.test(limit)) usage()

const line = Buffer.from('drop by drop\n')
const chunks: Buffer[] = []
let missing = line.length - 1 // bytes of the reply that have not come yet

try {
  const start = performance.now()
  const elapsed = (): string => `after ${(performance.now() - start).toFixed(0)} ms`

  // #region timeout
  const socket = connect({ host, port: Number(port) })
  socket.setTimeout(Number(limit)) // starts now, and anew with each byte that moves
  socket.on('timeout', () => {
    const what = socket.connecting ? 'connection' : 'answer'
    socket.destroy(new Error(`no ${what} ${elapsed()}`)) // the event alone does nothing
  })
  // #endregion timeout

  await once(socket, 'connect')
  console.log(`connect: done ${elapsed()}`)
  socket.write(line)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if ((missing -= chunk.length) <= 0) break // which also destroys the socket
  }
  if (missing > 0) throw new Error(`closed by the server ${missing} bytes too early`)
  console.log(`received: ${Buffer.concat(chunks)} ${elapsed()}`)
} catch (error) {
  for (const reason of error instanceof AggregateError ? error.errors : [error]) {
    console.error((reason as Error).message)
  }
  process.exit(1)
}

function usage(): never {
  console.error('usage: node timeouts-node.ts HOST PORT [MILLISECONDS]')
  process.exit(2)
}
