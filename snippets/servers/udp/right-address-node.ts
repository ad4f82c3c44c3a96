// An echo server at several addresses, with node:dgram: a socket
// for each.
// usage: node right-address-node.ts PORT ADDRESS ...

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP, isIPv6 } from 'node:net'

const [port = '', ...hosts] = process.argv.slice(2)
const valid = hosts.length > 0 && hosts.every((host) => isIP(host) !== 0)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !valid) {
  console.error('usage: node right-address-node.ts PORT ADDRESS ...')
  process.exit(2)
}

// #region sockets
const sockets = hosts.map((host) => createSocket(isIPv6(host) ? 'udp6' : 'udp4'))
// 0 lets the kernel choose for the first; the others have the same
let chosen = Number(port)

for (const [i, socket] of sockets.entries()) {
  socket.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  socket.on('message', (message, { address, port }) => {
    if (port === 0) return
    socket.send(message, port, address, (error) => error !== null && console.log(error.message))
  })
  socket.bind(chosen, hosts[i])
  await once(socket, 'listening')
  chosen = socket.address().port
  console.log(`listening on ${format(hosts[i]!, chosen)}`)
}
// #endregion sockets

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    for (const socket of sockets) socket.close()
  })
}

function format(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
