// Which processes and which threads serve the clients? Starts the server, is its clients, and
// counts what it says.
// usage: node spread.ts [PROCESSES [THREADS]]

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const [processes = '2', threads = '2'] = process.argv.slice(2)
const places = Number(processes) * Number(threads)

const file = fileURLToPath(new URL('./processes-and-threads-server.ts', import.meta.url))
const args = [...process.execArgv, file, '0', '127.0.0.1', processes, threads]
const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
const port = Number(/\d+$/.exec(await line(/^listening/))![0])

// #region side-by-side
const sockets: Socket[] = []
const together: string[] = []
for (let i = 0; i < places; i++) {
  sockets.push(await client())
  together.push(await line(/ serves /))
}
console.log(`side by side: ${summary(together)}`)
for (const socket of sockets) await leave(socket)
// #endregion side-by-side

// #region one-by-one
const inTurn: string[] = []
for (let i = 0; i < 25 * places; i++) {
  await leave(await client())
  inTurn.push(await line(/ serves /))
}
console.log(`one by one: ${summary(inTurn)}`)
// #endregion one-by-one

server.kill('SIGTERM')
const [status] = await once(server, 'exit')
console.log(`the server ends with status ${status}`)

/** A client that has been served once. */
async function client(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write('hello\n')
  await once(socket, 'data')
  return socket
}

async function leave(socket: Socket): Promise<void> {
  socket.end()
  await once(socket, 'close')
}

/** The server's next line of that kind. */
async function line(kind: RegExp): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the server has ended')
    if (kind.test(value)) return value
  }
}

/** How often each process, and each thread of each, is in the server's lines. */
function summary(said: string[]): string {
  const count = (kind: RegExp): number => new Set(said.map((text) => kind.exec(text)![0])).size
  return `${said.length} clients, ${count(/pid \d+/)} processes, ${count(/pid \d+ thread \d+/)} threads`
}
