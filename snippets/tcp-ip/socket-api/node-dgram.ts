// Datagrams again, with node:dgram. The comments name the system calls
// that Node makes.

import { createSocket, type RemoteInfo } from 'node:dgram'
import { on, once } from 'node:events'

const receiver = createSocket('udp4')
const arriving = on(receiver, 'message') // collects what comes from here on
receiver.bind(0, '127.0.0.1') // socket; bind
await once(receiver, 'listening') // UDP has no listen: the event means that bind is done
const { address, port } = receiver.address()
console.log(`bound to ${address}:${port}`)

const sender = createSocket('udp4')
// sendmsg; the first also binds
for (const text of ['abc', '', '0123456789']) sender.send(text, port, address)
for (let i = 0; i < 3; i++) {
  // recvmsg, into 64 KiB: nothing is cut
  const { value } = (await arriving.next()) as { value: [Buffer, RemoteInfo] }
  const [message, { size, port: from }] = value
  const known = from === sender.address().port
  console.log(`a message of ${size} bytes, '${message}', from the sender: ${known}`)
}

for (const length of [65_507, 65_508]) {
  const error = await new Promise<Error | null>((done) => {
    sender.send(Buffer.alloc(length), port, address, done)
  })
  console.log(`${length} bytes: ${error === null ? 'sent' : error.message}`)
}

sender.close()
receiver.close()
