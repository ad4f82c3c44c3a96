// Any program that reads standard input and writes standard output, as a server.
// usage: node exercise-inetd.ts PORT [HOST [COMMAND [ARGUMENT ...]]]

import { type ChildProcess, spawn } from 'node:child_process'
import { type Socket, createServer } from 'node:net'

const STOP_LIMIT = 300 // milliseconds
const LIMIT = 40 // processes

const [port = '', host = '127.0.0.1', command = 'cat', ...args] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-inetd.ts PORT [HOST [COMMAND [ARGUMENT ...]]]')
  process.exit(2)
}

const children = new Set<ChildProcess>()

// #region start
// pauseOnConnect: what a client sends is for the command to read.
const server = createServer({ pauseOnConnect: true }, (socket) => {
  try {
    if (children.size < LIMIT) start(socket)
  } catch (error) {
    console.log((error as Error).message)
  }
  socket.destroy() // closes our descriptor; the child has its own
})

function start(socket: Socket): void {
  const child = spawn(command, args, { stdio: [socket, socket, 'inherit'] })
  child.on('error', (error) => console.log(error.message))
  if (child.pid === undefined) return
  children.add(child)
  console.log(`pid ${child.pid}: ${[command, ...args].join(' ')}`)
  child.on('exit', (status, signal) => {
    children.delete(child)
    console.log(`pid ${child.pid} ended: ${signal ?? `status ${status}`}`)
  })
}
// #endregion start

server.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
server.listen(Number(port), host, () => {
  const address = server.address()
  if (address === null || typeof address === 'string') return
  const { address: name, port } = address
  console.log(`listening on ${name.includes(':') ? `[${name}]` : name}:${port}`)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
function stop(): void {
  server.close()
  setTimeout(() => {
    for (const child of children) child.kill('SIGTERM')
  }, STOP_LIMIT).unref()
}
