// A pool of processes, each with a listening socket of its own on one port.
// usage: node reuseport-server.ts PORT [HOST [PROCESSES]]

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  SO_REUSEPORT,
  bind,
  endpoint,
  family,
  format as formatAddress,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  socket as openSocket,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const NEWLINE = 0x0a
const STOP_LIMIT = 300 // milliseconds
const RESTART_DELAY = 100 // milliseconds

if (process.argv[2] !== 'worker') supervise()
else {
  try {
    work(process.argv[3]!, Number(process.argv[4]))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

function supervise(): void {
  const [port = '', host = '127.0.0.1', processes = '2'] = process.argv.slice(2)
  const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  if (!valid || !/^[1-9]\d{0,2}$/.test(processes)) {
    console.error('usage: node reuseport-server.ts PORT [HOST [PROCESSES]]')
    process.exit(2)
  }

  const workers = new Set<ChildProcess>()
  let listening = 0
  let stopping = false

  const addr = reserve(host, Number(port))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  for (let i = 0; i < Number(processes); i++) start()

  function start(): void {
    if (stopping) return
    const { port } = endpoint(addr)
    const worker = fork(import.meta.filename, ['worker', host, `${port}`])
    const again = (how: string): void => {
      workers.delete(worker)
      if (stopping) return
      console.log(how)
      setTimeout(start, RESTART_DELAY) // not at once: it may fail again
    }
    worker.on('error', (error) => again(error.message))
    worker.on('exit', (status, signal) =>
      again(`pid ${worker.pid} ended: ${signal ?? `status ${status}`}`),
    )
    worker.on('message', () => {
      listening++
      if (listening < Number(processes)) return
      console.log(`listening on ${formatAddress(addr)}`)
    })
    if (worker.pid !== undefined) workers.add(worker)
  }

  function stop(): void {
    stopping = true
    for (const worker of workers) worker.kill('SIGTERM')
  }
}

// #region reserve
// Binds a socket that never listens: who asks for any port is not given this one. And since
// it has no SO_REUSEPORT, it does not get a port on which somebody listens.
function reserve(host: string, port: number): Buffer {
  try {
    const addr = sockaddr(host, port)
    const fd = openSocket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    bind(fd, addr)
    return getsockname(fd, addr)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
// #endregion reserve

// #region work
function work(host: string, port: number): void {
  const addr = sockaddr(host, port)
  const listenFd = openSocket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEPORT, 1) // on each, before bind
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)

  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const client = format(socket.remoteAddress, socket.remotePort)
    console.log(`pid ${process.pid} serves ${client}`)
    clients.add(socket)
    socket.on('error', (error) => console.log(`pid ${process.pid}: ${error.message}`))
    socket.on('close', () => clients.delete(socket))
    serve(socket).catch(() => {}) // the socket has told its error already
  })
  // The parent may be gone by then: with a callback that is no error here.
  server.listen({ fd: listenFd }, () => process.send?.('listening', () => {}))
  // #endregion work

  // The supervisor has ended, perhaps before we came this far.
  if (process.connected) process.once('disconnect', stop)
  else stop()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  function stop(): void {
    if (process.connected) process.disconnect?.()
    server.close()
    for (const socket of clients) socket.pause().destroySoon()
    setTimeout(() => {
      for (const socket of clients) socket.destroy()
    }, STOP_LIMIT).unref()
  }
}

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
