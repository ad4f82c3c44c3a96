// Long and short connections of node:http, and the queue of a server of Node.
// usage: node connections-node.ts

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IPPROTO_TCP, TCP_INFO, getsockopt } from '#posix'

const REQUESTS = 3
let connections = 0
let tooLate = false // the next request finds its connection closed

const server = createServer((request, response) => {
  if (tooLate) request.socket.destroy()
  else response.end('the answer')
  tooLate = false
})
server.on('connection', () => connections++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

// #region backlog
/** The descriptor is in no API of Node: `_handle` may change in any version. */
const { fd } = (server as unknown as { _handle: { fd: number } })._handle
const info = Buffer.alloc(104)
getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1'))
console.log(`a backlog of 511: ${info.readUInt32LE(28) === Math.min(511, somaxconn)}`)
// #endregion backlog

// #region agents
const long = new Agent({ keepAlive: true, maxSockets: 4 }) // Node's own agent keeps them too
const short = new Agent({ keepAlive: false })
for (const [name, agent] of Object.entries({ long, short })) {
  connections = 0
  for (let i = 0; i < REQUESTS; i++) await ask(agent)
  console.log(`${name}: requests ${REQUESTS}, connections ${connections}`)
}
// #endregion agents

// #region again
tooLate = true
for (let done = false; !done;) {
  const request = get({ port, host: '127.0.0.1', agent: long })
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    for await (const _ of response); // to its end, or the connection is not free
    console.log(`asked again: ${response.statusCode}`)
    done = true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    console.log(`closed meanwhile: ${code}, reusedSocket ${request.reusedSocket}`)
    if (!request.reusedSocket) throw error // not the fault of a connection that was too old
  }
}
// #endregion again
long.destroy()
server.close()

async function ask(agent: Agent): Promise<void> {
  const [response] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [
    IncomingMessage,
  ]
  for await (const _ of response);
}
