// The same service on Node's own sockets.
// usage: node udp-echo-server-node.ts PORT [HOST]

import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node udp-echo-server-node.ts PORT [HOST]')
  process.exit(2)
}

// #region socket
const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')

socket.on('message', (message, { address, port }) => {
  console.log(`${message.length} bytes from ${format(address, port)}`)
  // A claim that cannot be answered; send would throw.
  if (port === 0) return
  socket.send(message, port, address, (error) => {
    if (error !== null) console.log(error.message)
  })
})
// #endregion socket

// #region bind
socket.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
socket.on('listening', () => {
  const { address, port } = socket.address()
  console.log(`listening on ${format(address, port)}`)
})
socket.bind(Number(port), host)
// #endregion bind

// No connection is to be closed: whoever waits for an answer has a
// time limit.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => socket.close())

function format(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
