// Wrong on purpose: the wait knows of the signal, the socket does not.
// usage: node abort-not-passed.broken.ts HOST PORT

import { once } from 'node:events'
import { connect } from 'node:net'

const socket = connect({ host: process.argv[2]!, port: Number(process.argv[3]) })
socket.write('hello\n')
try {
  const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(200) })
  console.log(`received: ${reply}`)
  socket.destroy()
} catch (error) {
  console.log(`gave up: ${(error as Error).name}`)
}
