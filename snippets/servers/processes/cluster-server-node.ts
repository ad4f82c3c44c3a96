// A pool of processes made by node:cluster: the primary takes the clients and deals
// them out.
// usage: node cluster-server-node.ts PORT [HOST [PROCESSES]]

import cluster from 'node:cluster'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

const [port = '', host = '127.0.0.1', processes = '2'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,2}$/.test(processes)) {
  console.error('usage: node cluster-server-node.ts PORT [HOST [PROCESSES]]')
  process.exit(2)
}

if (cluster.isPrimary) supervise()
else work()

// #region supervise
function supervise(): void {
  let listening = 0
  let stopping = false

  for (let i = 0; i < Number(processes); i++) start()
  function start(): void {
    if (stopping) return
    const worker = cluster.fork()
    worker.on('error', (error) => {
      // It may end before it has read what we send it: 'exit' tells that.
      if (worker.process.pid !== undefined || stopping) return
      console.log(error.message) // EAGAIN: no process for it
      setTimeout(start, RESTART_DELAY)
    })
  }

  cluster.on('listening', (_, { address, port }) => {
    listening++
    if (listening < Number(processes)) return
    console.log(`listening on ${format(address, port)}`)
  })
  // A worker that cannot listen says why, and so could no other.
  cluster.on('message', (_, reason: string) => {
    if (!stopping) console.error(reason)
    process.exitCode = 1
    stop()
  })
  cluster.on('exit', (worker, status, signal) => {
    if (stopping) return
    console.log(`pid ${worker.process.pid} ended: ${signal ?? `status ${status}`}`)
    setTimeout(start, RESTART_DELAY) // not at once: it may fail again
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    stopping = true
    const workers = Object.values(cluster.workers ?? {})
    for (const worker of workers) worker?.process.kill('SIGTERM')
  }
}
// #endregion supervise

// #region work
function work(): void {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const client = format(socket.remoteAddress, socket.remotePort)
    console.log(`pid ${process.pid} serves ${client}`)
    clients.add(socket)
    socket.on('error', (error) => console.log(`pid ${process.pid}: ${error.message}`))
    socket.on('close', () => clients.delete(socket))
    serve(socket).catch(() => {}) // the socket has told its error already
  })
  // The primary may be gone by then: with a callback that is no error of this process.
  server.on('error', (error) => process.send?.(error.message, () => {}))
  server.listen(Number(port), host)

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    cluster.worker?.disconnect() // closes the server and the channel
    for (const socket of clients) socket.pause().destroySoon()
    setTimeout(() => {
      for (const socket of clients) socket.destroy()
    }, STOP_LIMIT).unref()
  }
}
// #endregion work

// #region serve
// The service of 2.2, as a loop that waits for bytes, and for room to answer.
async function serve(socket: Socket): Promise<void> {
  let rest = Buffer.alloc(0) // not a whole line yet
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    const replies: Buffer[] = []
    let start = 0
    let end = bytes.indexOf(NEWLINE, rest.length)
    while (end !== -1 && end - start < LINE_MAX) {
      replies.push(bytes.subarray(start, end).reverse())
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    rest = bytes.subarray(start)
    const taken = replies.length === 0 || socket.write(Buffer.concat(replies))
    if (rest.length >= LINE_MAX) {
      const failure = new RangeError(`no end of line in ${LINE_MAX} bytes`)
      return void socket.end(() => socket.destroy(failure)) // what was answered goes out first
    }
    if (!taken) await once(socket, 'drain')
  }
  socket.end(rest.reverse()) // the last line, if it lacks its newline
}
// #endregion serve

function format(address?: string, port?: number): string {
  if (address === undefined) return 'a client that has left already'
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
