// A process for each client, so many for one address, and so long for each.
// usage: node exercise-limits.ts PORT [HOST [MILLISECONDS]]

import { type ChildProcess, spawn } from 'node:child_process'
import { type Socket, createServer } from 'node:net'
import { join } from 'node:path'

const STOP_LIMIT = 300 // milliseconds
const LIMIT = 16 // processes
const LIMIT_FOR_ONE = 2 // processes for one address
const service = join(import.meta.dirname, 'reverse-lines.ts')

const [port = '', host = '127.0.0.1', time = '10000'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,6}$/.test(time)) {
  console.error('usage: node exercise-limits.ts PORT [HOST [MILLISECONDS]]')
  process.exit(2)
}

const children = new Map<ChildProcess, string>() // and the address that each serves

const server = createServer({ pauseOnConnect: true }, (socket) => {
  const { remoteAddress: address } = socket
  try {
    if (address !== undefined && mayStart(address)) start(socket, address)
  } catch (error) {
    console.log((error as Error).message)
  }
  socket.destroy() // closes our descriptor; the child has its own
})

// #region limits
function mayStart(address: string): boolean {
  const own = [...children.values()].filter((other) => other === address).length
  if (children.size < LIMIT && own < LIMIT_FOR_ONE) return true
  console.log(`no process for ${address}: it has ${own}, all have ${children.size}`)
  return false
}

function start(socket: Socket, address: string): void {
  const command = [...process.execArgv, service, '0']
  const child = spawn(process.execPath, command, {
    stdio: [socket, 'inherit', 'inherit'], // to read from, and to write to
  })
  child.on('error', (error) => console.log(error.message))
  if (child.pid === undefined) return
  children.set(child, address)
  console.log(`pid ${child.pid} serves ${address}`)
  // SIGKILL needs no cooperation: the child may be in a loop that never ends.
  const timer = setTimeout(() => child.kill('SIGKILL'), Number(time))
  child.on('exit', (status, signal) => {
    clearTimeout(timer)
    children.delete(child)
    console.log(`pid ${child.pid} ended: ${signal ?? `status ${status}`}`)
  })
}
// #endregion limits

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
    for (const child of children.keys()) child.kill('SIGTERM')
  }, STOP_LIMIT).unref()
}
