// Broadcast, multicast and a shared port with node:dgram.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const GROUP = '239.1.2.3'

// #region receivers
// reuseAddr is SO_REUSEADDR.
const ann = createSocket({ type: 'udp4', reuseAddr: true })
ann.bind(0, '0.0.0.0')
await once(ann, 'listening')
const { port } = ann.address()
const bob = createSocket({ type: 'udp4', reuseAddr: true })
bob.bind(port, '0.0.0.0')
await once(bob, 'listening')
// #endregion receivers

const inbox: string[] = []
ann.on('message', () => inbox.push('Ann'))
bob.on('message', () => inbox.push('Bob'))
const sender = createSocket('udp4')
sender.bind(0)
await once(sender, 'listening')

// #region rounds
await round('to 127.0.0.1', '127.0.0.1')
await round('to 127.255.255.255', '127.255.255.255')
sender.setBroadcast(true)
await round('to 127.255.255.255, with setBroadcast', '127.255.255.255')

sender.setMulticastInterface('127.0.0.1')
await round(`to ${GROUP}`, GROUP)
ann.addMembership(GROUP, '127.0.0.1')
await round(`to ${GROUP}, where Ann is a member`, GROUP)
ann.dropMembership(GROUP, '127.0.0.1')
// #endregion rounds

for (const socket of [ann, bob, sender]) socket.close()

/** Sends a datagram, and prints who has received it. */
async function round(what: string, address: string): Promise<void> {
  const error = await new Promise<Error | null>((done) => sender.send('news', port, address, done))
  if (error !== null) return console.log(`${what}: ${error.message}`)
  for (let tenths = 0; tenths < 5 && inbox.length === 0; tenths++) await delay(100)
  // What one has received, others may still receive
  await delay(50)
  console.log(`${what}: ${inbox.splice(0).sort().join(' and ') || 'nobody'}`)
}
