// What asks for localhost, and who is reached.
// usage: node localhost.ts

import { Resolver, getDefaultResultOrder, lookup as getaddrinfo } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, type LookupFunction, connect, createServer } from 'node:net'

// #region names
const { address } = await getaddrinfo('localhost', { family: 4 }) // reads /etc/hosts
console.log(`lookup: ${address}, order: ${getDefaultResultOrder()}`)

const dns = new Resolver() // asks a name server and nobody else
dns.setServers(['127.0.0.1:1']) // ... and there is none
const answer = await dns.resolve4('localhost').catch((error: NodeJS.ErrnoException) => error.code)
console.log(`resolve4: ${answer}`)
// #endregion names

// #region lookup
/** What /etc/hosts has for localhost on many machines: both, ::1 first. */
const lookup: LookupFunction = (_name, { all }, callback) => {
  const addresses = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]
  process.nextTick(() => (all ? callback(null, addresses) : callback(null, '::1', 6)))
}
// #endregion lookup

// #region reached
for (const host of ['127.0.0.1', '::']) {
  const server = createServer((socket) => socket.end()).listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const autoSelectFamily of [false, true]) {
    const socket = connect({ host: 'localhost', port, lookup, autoSelectFamily })
    const reached = await once(socket, 'connect').then(
      () => `connected to ${socket.remoteAddress}`,
      (error: NodeJS.ErrnoException) => error.code,
    )
    const tried = autoSelectFamily ? 'each address' : 'first address'
    console.log(`server on ${host}, ${tried}: ${reached}`)
    socket.destroy()
  }
  server.close()
}
// #endregion reached
