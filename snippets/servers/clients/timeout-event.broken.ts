// Wrong on purpose: sets a timeout, and takes that for a limit.
// usage: node timeout-event.broken.ts HOST PORT

import { connect } from 'node:net'

const socket = connect({ host: process.argv[2]!, port: Number(process.argv[3]) })
socket.setTimeout(200)
socket.on('timeout', () => console.log('timeout'))
socket.write('hello\n')
socket.on('data', (chunk) => {
  console.log(`received: ${chunk}`)
  socket.end()
})
