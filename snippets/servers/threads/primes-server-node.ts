// A line holds a number, the answer is how many primes are below it. The event loop deals with the
// clients; the counting, which burns the processor, is done by a pool of threads.
// usage: node primes-server-node.ts PORT [HOST [THREADS]]

import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const TIME_LIMIT = 10_000 // milliseconds for one answer
const STOP_LIMIT = 300 // milliseconds

if (isMainThread) main()
else parentPort!.on('message', (n: number) => parentPort!.postMessage(countPrimes(n)))

// #region count
function countPrimes(below: number): number {
  let count = 0
  for (let n = 2; n < below; n++) if (isPrime(n)) count++
  return count
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}
// #endregion count

function main(): void {
  const cores = String(availableParallelism())
  const [port = '', host = '127.0.0.1', most = cores] = process.argv.slice(2)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !/^[1-9]\d{0,2}$/.test(most)) {
    console.error('usage: node primes-server-node.ts PORT [HOST [THREADS]]')
    process.exit(2)
  }
  const clients = new Set<Socket>()

  // #region pool
  const idle: Worker[] = []
  const waiting: ((thread: Worker) => void)[] = []
  let threads = 0

  /** Counts in a thread that has nothing else to do. */
  async function count(below: number, signal: AbortSignal): Promise<number> {
    const thread = await take()
    if (signal.aborted) {
      giveBack(thread)
      throw signal.reason as Error // the client has left while it waited
    }
    thread.postMessage(below)
    try {
      const [primes] = (await once(thread, 'message', { signal })) as [number]
      giveBack(thread)
      return primes
    } catch (error) {
      await thread.terminate() // JavaScript can be interrupted, a system call cannot
      throw error
    }
  }

  async function take(): Promise<Worker> {
    const thread = idle.pop()
    if (thread !== undefined) return thread
    if (threads < Number(most)) return startThread()
    return await new Promise((resolve) => waiting.push(resolve))
  }

  function giveBack(thread: Worker): void {
    const next = waiting.shift()
    if (next === undefined) idle.push(thread)
    else next(thread)
  }
  // #endregion pool

  // #region thread
  function startThread(): Worker {
    const url = JSON.stringify(import.meta.url)
    const code = process.features.typescript
      ? `import(${url})`
      : `import('tsx/esm/api').then((tsx) => (tsx.register(), import(${url})))` // Node 20
    const thread = new Worker(code, { eval: true })
    threads++
    thread.unref() // an idle thread does not keep the process alive
    thread.on('error', (error: Error) => console.log(error.message))
    thread.on('exit', () => {
      threads--
      waiting.shift()?.(startThread())
    })
    return thread
  }
  // #endregion thread

  // #region serve
  async function serve(socket: Socket, signal: AbortSignal): Promise<void> {
    let rest = Buffer.alloc(0) // not a whole line yet
    // Reads no more while an answer is due. A plain for await would destroy the socket at its end.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.concat([rest, chunk as Buffer])
      let start = 0
      let end = bytes.indexOf(NEWLINE, rest.length)
      while (end !== -1 && end - start < LINE_MAX) {
        await reply(socket, bytes.subarray(start, end), signal)
        start = end + 1
        end = bytes.indexOf(NEWLINE, start)
      }
      rest = bytes.subarray(start)
      if (rest.length >= LINE_MAX) throw new RangeError(`no end of line in ${LINE_MAX} bytes`)
    }
    if (rest.length > 0) await reply(socket, rest, signal)
    socket.end()
  }

  async function reply(socket: Socket, line: Buffer, gone: AbortSignal): Promise<void> {
    const text = line.toString().trim()
    let answer = 'not a number of up to nine digits'
    if (/^\d{1,9}$/.test(text)) {
      console.log(`counting the primes below ${text}`)
      const signal = AbortSignal.any([gone, AbortSignal.timeout(TIME_LIMIT)])
      answer = await count(Number(text), signal).then(String, () => 'no answer in time')
      console.log(gone.aborted ? `gave up on ${text}` : `below ${text}: ${answer}`)
    }
    if (!socket.write(`${answer}\n`)) await once(socket, 'drain', { signal: gone })
  }
  // #endregion serve

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const gone = new AbortController()
    clients.add(socket)
    socket.on('error', () => {}) // the loop hears of it, as long as it runs
    socket.on('close', () => {
      clients.delete(socket)
      gone.abort()
    })
    serve(socket, gone.signal).catch((error: Error) => {
      if (!gone.signal.aborted) console.log(error.message)
      socket.destroySoon() // what was answered goes out first
    })
  })
  server.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  server.listen(Number(port), host, () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') {
      const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
      console.log(`listening on ${shown}:${address.port}`)
    }
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close()
      for (const socket of clients) socket.destroySoon()
      setTimeout(() => {
        for (const socket of clients) socket.destroy()
      }, STOP_LIMIT).unref()
    })
  }
}
