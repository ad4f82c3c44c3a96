// A pool of processes made by child_process.fork. The parent takes the clients, and
// sends each connection to the next child.
// usage: node fork-handles-node.ts PORT [HOST [PROCESSES]]

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

if (process.argv[2] === 'worker') work()
else supervise()

function supervise(): void {
  const [port = '', host = '127.0.0.1', processes = '2'] = process.argv.slice(2)
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || !/^[1-9]\d{0,2}$/.test(processes)) {
    console.error('usage: node fork-handles-node.ts PORT [HOST [PROCESSES]]')
    process.exit(2)
  }

  const workers: ChildProcess[] = [] // the next in turn is the first
  const onTheWay = new Map<ChildProcess, Socket[]>() // sent, and not taken yet
  let ready = 0
  let stopping = false

  // pauseOnConnect: what a client sends is not for us to read.
  const server = createServer({ pauseOnConnect: true }, handOver)
  server.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
    stop()
  })
  server.listen(Number(port), host, () => {
    for (let i = 0; i < Number(processes); i++) start()
  })

  function announce(): void {
    const address = server.address()
    if (address !== null && typeof address === 'object')
      console.log(`listening on ${format(address.address, address.port)}`)
  }

  // #region hand-over
  function handOver(socket: Socket): void {
    const worker = workers.shift()
    if (worker === undefined) return void socket.destroy()
    workers.push(worker) // now it is the last
    onTheWay.get(worker)?.push(socket)
    worker.send('connection', socket, { keepOpen: true }, () => {}) // see 'close'
  }

  function start(): void {
    if (stopping) return
    const worker = fork(import.meta.filename, ['worker'])
    workers.push(worker)
    onTheWay.set(worker, [])
    worker.on('message', (message) => {
      if (message === 'ready') ready++
      else onTheWay.get(worker)?.shift()?.destroy() // it has its own now
      if (message === 'ready' && ready === Number(processes)) announce()
    })
    const ended = (how: string): void => {
      const left = onTheWay.get(worker)
      if (left === undefined) return
      onTheWay.delete(worker)
      workers.splice(workers.indexOf(worker), 1)
      if (!stopping) {
        console.log(how)
        setTimeout(start, RESTART_DELAY) // not at once: it may fail again
      }
      for (const socket of left) handOver(socket) // the next worker takes them
    }
    worker.on('error', (error) => ended(error.message)) // no process for it
    // Unlike 'exit', 'close' comes after all that it had to say.
    worker.on('close', (status, signal) =>
      ended(`pid ${worker.pid} ended: ${signal ?? `status ${status}`}`),
    )
  }
  // #endregion hand-over

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    stopping = true
    server.close()
    for (const worker of workers) worker.kill('SIGTERM')
  }
}

// #region work
function work(): void {
  const clients = new Set<Socket>()
  process.on('message', (_, socket?: Socket) => {
    // The parent may be gone by then: with a callback that is no error here.
    process.send?.('taken', () => {})
    if (socket === undefined) return // the client has left on the way
    socket.allowHalfOpen = true
    const client = format(socket.remoteAddress, socket.remotePort)
    console.log(`pid ${process.pid} serves ${client}`)
    clients.add(socket)
    socket.on('error', (error) => console.log(`pid ${process.pid}: ${error.message}`))
    socket.on('close', () => clients.delete(socket))
    serve(socket).catch(() => {}) // the socket has told its error already
  })
  process.send?.('ready', () => {})

  // The parent has ended, perhaps before we came this far.
  if (process.connected) process.once('disconnect', stop)
  else stop()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    if (process.connected) process.disconnect?.()
    for (const socket of clients) socket.pause().destroySoon()
    setTimeout(() => {
      for (const socket of clients) socket.destroy()
    }, STOP_LIMIT).unref()
  }
}
// #endregion work

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

function format(address?: string, port?: number): string {
  if (address === undefined) return 'a client that has left already'
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
