// How many sockets of TCP are in which state, on this machine or in this network.
// usage: node exercise-census.ts

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'

// #region census
// include/net/tcp_states.h, by number
const states = ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT_1', 'FIN_WAIT_2', 'TIME_WAIT']
states.push('CLOSED', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING')

function census(): string {
  const counts = new Map<string, number>()
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'latin1').split('\n').slice(1, -1)) {
      const state = states[parseInt(line.trim().split(/\s+/)[3]!, 16) - 1]!
      counts.set(state, (counts.get(state) ?? 0) + 1)
    }
  }
  const found = states.filter((state) => counts.has(state)) // the table has them in no order
  return found.map((state) => `${state} ${counts.get(state)}`).join(', ') || 'none'
}
// #endregion census

console.log(census())
const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(census())
const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
const [connection] = await once(server, 'connection')
console.log(census())

// The client ends, and the server, which may go on sending, forgets to.
client.end()
connection.resume()
await once(connection, 'end')
while (census().includes('FIN_WAIT_1')) await setTimeout(1) // until it is acknowledged
console.log(census())
connection.end()
await once(client, 'close')
server.close()
