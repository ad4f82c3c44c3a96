// The same server on node:net: lines by an async iterator, and a signal that stops it.
// usage: node net-server.ts PORT [HOST]

import { once, setMaxListeners } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

const LINE_MAX = 65_536 // bytes, the newline among them
const CREDIT = 64 // lines in a row
const NEWLINE = 10
const STOP_LIMIT = 300 // milliseconds
const GOT = Buffer.from('GOT:')

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node net-server.ts PORT [HOST]')
  process.exit(2)
}

// #region stop
const controller = new AbortController()
const stop = controller.signal
setMaxListeners(0, stop) // each client listens to it
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => controller.abort())
}
// #endregion stop

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  void clientHandler(socket)
})

// #region client
async function clientHandler(socket: Socket): Promise<void> {
  const peer = format(socket.remoteAddress, socket.remotePort)
  console.log(`Got connection from ${peer}`)
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  socket.on('error', () => {}) // the loop hears of it, as long as it runs
  stop.addEventListener('abort', () => leave(socket), { signal: gone.signal })
  let credit = CREDIT
  try {
    for await (const line of lines(socket)) {
      stop.throwIfAborted()
      const room = socket.write(Buffer.concat([GOT, line]))
      if (!room) await once(socket, 'drain', { signal: gone.signal })
      if (--credit > 0) continue
      await turn() // of the event loop: a chunk may hold thousands of lines
      credit = CREDIT
    }
    console.log(`Client closed ${peer}`)
  } catch (error) {
    console.log(`${peer} ${stop.aborted ? 'was served to here' : (error as Error).message}`)
  } finally {
    socket.destroySoon() // once the kernel has all that was written
  }
}
// #endregion client

// #region leave
/** Ends behind the last reply; not later than this, as the client may not read. */
function leave(socket: Socket): void {
  socket.destroySoon()
  setTimeout(() => socket.destroy(), STOP_LIMIT).unref()
}
// #endregion leave

// #region lines
async function* lines(socket: Socket): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  // The loop must not destroy the socket: there are replies to send.
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    for (let end; (end = rest.indexOf(NEWLINE) + 1) > 0; rest = rest.subarray(end)) {
      if (end > LINE_MAX) break
      yield rest.subarray(0, end)
    }
    if (rest.length >= LINE_MAX) throw new RangeError(`a line of more than ${LINE_MAX} bytes`)
  }
  if (rest.length > 0) yield rest
}
// #endregion lines

server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
// #region listen
server.listen({ port: Number(port), host, signal: stop }, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') {
    console.log(`listening on ${format(address.address, address.port)}`)
  }
})
// #endregion listen

function format(address?: string, port?: number): string {
  if (address === undefined) return 'a client that has left already'
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
