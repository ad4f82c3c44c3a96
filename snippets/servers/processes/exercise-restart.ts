// A server whose program can be replaced while it runs: send it a SIGHUP.
// usage: node exercise-restart.ts PORT [HOST]

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  bind,
  family,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

if (process.argv[2] === 'worker') work(process.argv[3]!)
else supervise()

function supervise(): void {
  const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    console.error('usage: node exercise-restart.ts PORT [HOST]')
    process.exit(2)
  }

  const { listenFd, address } = listenOn(host, Number(port))
  const workers = new Set<ChildProcess>()
  let current: ChildProcess | undefined // the one that takes clients
  let started = 0
  let stopping = false

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  process.on('SIGHUP', replace)
  replace()

  // #region replace
  // Starts a worker from the program as it is now. When it takes clients, the one before
  // it need not any longer. If it fails before that, nothing has changed.
  function replace(): void {
    if (stopping) return
    const name = `worker ${++started}`
    const worker = fork(import.meta.filename, ['worker', name], {
      stdio: ['ignore', 'inherit', 'inherit', listenFd, 'ipc'],
    })
    workers.add(worker)
    worker.once('message', () => {
      console.log(current === undefined ? `listening on ${address}` : `${name} takes over`)
      current?.send('retire', () => {}) // it may have ended by itself
      current = worker
    })
    worker.on('error', (error) => ended(error.message))
    worker.on('exit', (status, signal) => ended(signal ?? `status ${status}`))

    function ended(how: string): void {
      workers.delete(worker)
      if (stopping) return
      console.log(`${name} ended: ${how}`)
      if (current === undefined) process.exit(1)
      // Nobody takes clients if it was the one that did, or the one to follow. It may fail again.
      if (!workers.has(current)) setTimeout(replace, RESTART_DELAY)
    }
  }
  // #endregion replace

  function stop(): void {
    stopping = true
    for (const worker of workers) worker.kill('SIGTERM')
  }
}

function listenOn(host: string, port: number): { listenFd: number; address: string } {
  try {
    const addr = sockaddr(host, port)
    const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(listenFd, addr)
    listen(listenFd, SOMAXCONN)
    return { listenFd, address: format(getsockname(listenFd, addr)) }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}

// #region work
function work(name: string): void {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    console.log(`${name} serves a client`)
    clients.add(client)
    client.on('error', (error) => console.log(`${name}: ${error.message}`))
    client.on('close', () => clients.delete(client))
    serve(client).catch(() => {}) // the client's socket has told its error already
  })
  // The parent may be gone by then: with a callback that is no error here.
  server.listen({ fd: 3 }, () => process.send?.('ready', () => {}))

  // Takes no more clients, and ends with the last that it has.
  process.once('message', () => {
    server.close()
    console.log(`${name} takes no more clients`)
    process.channel?.unref() // no reason to stay any longer
  })
  // #endregion work
  // The supervisor has ended, perhaps before we came this far.
  if (process.connected) process.once('disconnect', stop)
  else stop()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    server.close()
    if (process.connected) process.disconnect?.()
    for (const client of clients) client.pause().destroySoon()
    setTimeout(() => {
      for (const client of clients) client.destroy()
    }, STOP_LIMIT).unref()
  }
}

// The service of 2.2, as a loop that waits for bytes, and for room to answer.
async function serve(client: Socket): Promise<void> {
  let rest = Buffer.alloc(0) // not a whole line yet
  for await (const chunk of client.iterator({ destroyOnReturn: false })) {
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
    const taken = replies.length === 0 || client.write(Buffer.concat(replies))
    if (rest.length >= LINE_MAX) {
      const failure = new RangeError(`no end of line in ${LINE_MAX} bytes`)
      return void client.end(() => client.destroy(failure)) // what was answered goes out first
    }
    if (!taken) await once(client, 'drain')
  }
  client.end(rest.reverse()) // the last line, if it lacks its newline
}
