// The stream again, with node:net. The comments name the system calls
// that Node makes.

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

// socket; setsockopt SO_REUSEADDR; bind; listen
const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
await once(server, 'listening')
const { address, port } = server.address() as AddressInfo // getsockname
console.log(`listening on ${address}:${port}`)

const accepted = once(server, 'connection') // epoll_pwait, then accept4
const client = connect(port, address) // socket; connect, which does not wait: EINPROGRESS
await once(client, 'connect') // epoll_pwait; getsockopt SO_ERROR tells how it went
const [connection] = (await accepted) as [Socket]
const known = connection.remotePort === client.localPort
console.log(`the connection comes from the client: ${known}`)

client.write('a') // write
client.write('b') // write
client.end('c') // write; shutdown SHUT_WR

let text = ''
connection.setEncoding('utf8')
// read; one chunk or three: node:net does not say, and may not be asked
const chunks = connection.iterator({ destroyOnReturn: false })
for await (const chunk of chunks) text += chunk as string
console.log(`the stream up to its end: '${text}'`)

// write; shutdown SHUT_WR: our direction was open until here
connection.end(`${text.length} bytes`)
const [answer] = (await once(client, 'data')) as [Buffer]
console.log(`the client, long after its end(), receives '${answer}'`)

await once(client, 'close') // read gives 0; close
server.close() // close
await once(server, 'close')
console.log('closed')
