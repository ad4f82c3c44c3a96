// The same service on Node's own sockets: an event loop, and clients side by side.
// usage: node reversing-server-node.ts PORT [HOST]

import { type Socket, createServer } from 'node:net'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node reversing-server-node.ts PORT [HOST]')
  process.exit(2)
}

// #region serve
const clients = new Set<Socket>()

// allowHalfOpen: when the client has ended its direction, ours stays open.
const server = createServer({ allowHalfOpen: true }, (socket) => {
  const name = format(socket.remoteAddress, socket.remotePort)
  let rest = Buffer.alloc(0) // not a whole line yet; one for each client

  clients.add(socket)
  console.log(`serving ${name}`)

  socket.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([rest, chunk])
    const replies: Buffer[] = []
    let start = 0
    let end = bytes.indexOf(NEWLINE, rest.length)
    while (end !== -1 && end - start < LINE_MAX) {
      replies.push(bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    rest = bytes.subarray(start)
    // false: Node holds what the kernel has not taken. Then read no more ...
    const taken = replies.length === 0 || socket.write(Buffer.concat(replies))
    if (!taken) socket.pause()
    if (rest.length < LINE_MAX) return
    const failure = new RangeError(`no end of line in ${LINE_MAX} bytes`)
    socket.pause().end(() => socket.destroy(failure)) // what was answered goes out first
  })
  // ... until it is gone.
  socket.on('drain', () => socket.resume())
  // The last line, if it lacks its newline.
  socket.on('end', () => socket.end(rest.reverse()))
  // Without a listener an error would end the process.
  socket.on('error', (error) => console.log(`${name} ${error.message}`))
  socket.on('close', (failed) => {
    clients.delete(socket)
    if (!failed) console.log(`closed ${name}`)
  })
})
// #endregion serve

// #region listen
server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(Number(port), host, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object')
    console.log(`listening on ${format(address.address, address.port)}`)
})

function format(address?: string, port?: number): string {
  if (address === undefined) return 'a client that has left already'
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
// #endregion listen

// #region stop
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)

// Takes no more clients, lets what has been answered go out, and closes. Node exits
// when nothing is left to wait for.
function stop(): void {
  server.close()
  for (const socket of clients) socket.pause().destroySoon()
  // A client that does not read would keep us for ever.
  setTimeout(() => {
    for (const socket of clients) socket.destroy()
  }, STOP_LIMIT).unref()
}
// #endregion stop
