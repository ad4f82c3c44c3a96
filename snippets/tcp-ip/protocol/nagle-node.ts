// A question in two writes and its answer, on node:net: how long it takes, by how it is written.
// usage: node nagle-node.ts [WAY] (0 to 3; without it all of them)

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

const ROUNDS = 5

// #region ways
const ways: [name: string, ask: (socket: Socket) => void][] = [
  ['two writes', twoWrites],
  ['setNoDelay', (socket) => twoWrites(socket.setNoDelay())],
  [
    'cork and uncork',
    (socket) => {
      socket.cork()
      twoWrites(socket)
      socket.uncork()
    },
  ],
  ['one write', (socket) => void socket.write('head:body\n')],
]

function twoWrites(socket: Socket): void {
  socket.write('head:')
  socket.write('body\n')
}
// #endregion ways

const [way, ...more] = process.argv.slice(2)
if ((way !== undefined && !/^[0-3]$/.test(way)) || more.length > 0) {
  console.error('usage: node nagle-node.ts [WAY]')
  process.exit(2)
}

/** Answers a line, and nothing less. */
const server = createServer((socket) => {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    if (!text.endsWith('\n')) return
    socket.write('done\n')
    text = ''
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

for (const [name, ask] of way === undefined ? ways : [ways[Number(way)]!]) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    ask(socket)
    await once(socket, 'data')
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const [middle, longest] = [times[2]!, times.at(-1)!].map((ms) => ms.toFixed(2))
  console.log(`${name}: the answer comes after ${middle} ms, at the latest after ${longest} ms`)
  socket.end()
  await once(socket, 'close')
}
server.close()
