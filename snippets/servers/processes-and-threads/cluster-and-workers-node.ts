// The primes of 2.5 on every processor: node:cluster spreads the clients over some processes, each
// has an event loop for its clients, and threads for the counting.
// usage: node cluster-and-workers-node.ts PORT [HOST [PROCESSES [THREADS]]]

import cluster from 'node:cluster'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

const [port = '', host = '127.0.0.1', processes = '2', threads = '1'] = process.argv.slice(2)

// #region roles
if (!isMainThread) {
  parentPort!.on('message', (below: number) => parentPort!.postMessage(countPrimes(below)))
} else if (cluster.isPrimary) supervise()
else serveClients()
// #endregion roles

function countPrimes(below: number): number {
  let count = 0
  for (let n = 2; n < below; n++) if (isPrime(n)) count++
  return count
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}

// #region supervise
function supervise(): void {
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || ![processes, threads].every((text) => /^[1-9]\d{0,2}$/.test(text))) {
    console.error('usage: node cluster-and-workers-node.ts PORT [HOST [PROCESSES [THREADS]]]')
    process.exit(2)
  }

  let listening = 0
  let stopping = false
  for (let i = 0; i < Number(processes); i++) start()

  function start(): void {
    if (stopping) return
    const worker = cluster.fork()
    worker.on('error', () => {}) // it may end before it has read what we send it
  }

  cluster.on('listening', (_, { address, port }) => {
    listening++
    if (listening === Number(processes)) console.log(`listening on ${format(address, port)}`)
  })
  // A process that cannot listen says why, and so could no other.
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
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
  }
}
// #endregion supervise

function serveClients(): void {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const gone = new AbortController()
    clients.add(socket)
    socket.on('error', () => {}) // the loop hears of it, as long as it runs
    socket.on('close', () => {
      clients.delete(socket)
      gone.abort()
    })
    serve(socket, gone.signal).catch((error: Error) => {
      if (!gone.signal.aborted) console.log(`pid ${process.pid}: ${error.message}`)
      socket.destroySoon() // what was answered goes out first
    })
  })
  // The primary may be gone by then: with a callback that is no error of this process.
  server.on('error', (error) => process.send?.(error.message, () => {}))
  server.listen(Number(port), host)

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    cluster.worker?.disconnect() // closes the server, and the channel to the primary
    for (const socket of clients) socket.destroySoon()
    setTimeout(() => {
      for (const socket of clients) socket.destroy()
    }, STOP_LIMIT).unref()
  }
}

// #region serve
async function serve(socket: Socket, gone: AbortSignal): Promise<void> {
  let rest = Buffer.alloc(0) // not a whole line yet
  // Reads no more while an answer is due. A plain for await would destroy the socket at its end.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    let start = 0
    let end = bytes.indexOf(NEWLINE, rest.length)
    while (end !== -1 && end - start < LINE_MAX) {
      await reply(socket, bytes.subarray(start, end), gone)
      start = end + 1
      end = bytes.indexOf(NEWLINE, start)
    }
    rest = bytes.subarray(start)
    if (rest.length >= LINE_MAX) throw new RangeError(`no end of line in ${LINE_MAX} bytes`)
  }
  if (rest.length > 0) await reply(socket, rest, gone)
  socket.end()
}

async function reply(socket: Socket, line: Buffer, gone: AbortSignal): Promise<void> {
  const text = line.toString().trim()
  const isNumber = /^\d{1,9}$/.test(text)
  if (isNumber) console.log(`pid ${process.pid} counts the primes below ${text}`)
  const answer = isNumber ? await count(Number(text), gone) : 'not a number of up to nine digits'
  if (!socket.write(`${answer}\n`)) await once(socket, 'drain', { signal: gone })
}
// #endregion serve

// #region pool
const idle: Worker[] = []
const waiting: ((thread: Worker) => void)[] = []
let started = 0

async function count(below: number, gone: AbortSignal): Promise<number> {
  const thread = await take()
  if (gone.aborted) {
    giveBack(thread)
    throw gone.reason as Error
  }
  thread.postMessage(below)
  try {
    const [primes] = (await once(thread, 'message', { signal: gone })) as [number]
    giveBack(thread)
    return primes
  } catch (error) {
    await thread.terminate()
    throw error
  }
}

async function take(): Promise<Worker> {
  const thread = idle.pop()
  if (thread !== undefined) return thread
  if (started < Number(threads)) return startThread()
  return await new Promise((resolve) => waiting.push(resolve))
}

function giveBack(thread: Worker): void {
  const next = waiting.shift()
  if (next === undefined) idle.push(thread)
  else next(thread)
}

function startThread(): Worker {
  const url = JSON.stringify(import.meta.url)
  const code = process.features.typescript
    ? `import(${url})`
    : `import('tsx/esm/api').then((tsx) => (tsx.register(), import(${url})))` // Node 20
  const thread = new Worker(code, { eval: true })
  started++
  thread.unref() // an idle thread does not keep the process alive
  thread.on('error', (error: Error) => console.log(`pid ${process.pid}: ${error.message}`))
  thread.on('exit', () => {
    started--
    waiting.shift()?.(startThread())
  })
  return thread
}
// #endregion pool

function format(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
