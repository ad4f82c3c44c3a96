// One line to the reversing server and its reply, with one limit for all of it. Ctrl+C
// ends it too.
// usage: node abort.ts HOST PORT [MILLISECONDS]

import { once } from 'node:events'
import { connect } from 'node:net'

const [host = '', port = '', limit = '500'] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || host === '') usage()
if (!/^[1-9]\d{0,6}$/.test(limit)) usage()

const start = performance.now()
const chunks: Buffer[] = []
let missing = 'drop by drop'.length

// #region signal
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Ctrl+C')))
const signal = AbortSignal.any([AbortSignal.timeout(Number(limit)), stop.signal])
// #endregion signal

// #region exchange
try {
  const socket = connect({ host, port: Number(port), signal }) // destroys it, whatever it does
  await once(socket, 'connect')
  console.log('connected')
  socket.write('drop by drop\n')
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if ((missing -= chunk.length) <= 0) break
  }
  if (missing > 0) throw new Error(`closed by the server ${missing} bytes too early`)
  console.log(`received: ${Buffer.concat(chunks)}`)
} catch (error) {
  for (const { name, message } of error instanceof AggregateError ? error.errors : [error]) {
    console.error(`${name}: ${message} after ${(performance.now() - start).toFixed(0)} ms`)
  }
  if (signal.aborted) console.error(`cause: ${String((error as Error).cause)}`)
  process.exitCode = stop.signal.aborted ? 0 : 1
}
// #endregion exchange

function usage(): never {
  console.error('usage: node abort.ts HOST PORT [MILLISECONDS]')
  process.exit(2)
}
