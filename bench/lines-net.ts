// The server of lines of bench/lines.ts on node:net.
// usage: node lines-net.ts PORT

import { type AddressInfo, createServer } from 'node:net'

const GOT = Buffer.from('GOT:')
const NEWLINE = 10

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      socket.write(Buffer.concat([GOT, rest.subarray(0, end + 1)]))
      rest = rest.subarray(end + 1)
    }
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`)
})
