// The same client on Node's own sockets. It listens to its input and to the server at
// the same time.
// usage: node reversing-client-node.ts HOST PORT

import { once } from 'node:events'
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'

const NEWLINE = 0x0a

const [host = '', port = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || host === '') {
  console.error('usage: node reversing-client-node.ts HOST PORT')
  process.exit(2)
}

// #region talk
const due: number[] = [] // the lengths of the replies that have not come yet, in order
let sentAll = false

try {
  const socket = connect({ host, port: Number(port) })
  await once(socket, 'connect') // or throws what 'error' says
  console.log(`connected to ${format(socket.remoteAddress, socket.remotePort)}`)
  await pipeline(process.stdin, lines, socket, replies, process.stdout)
} catch (error) {
  // A name may have several addresses, and each of them an error of its own.
  for (const reason of error instanceof AggregateError ? error.errors : [error]) {
    console.error((reason as Error).message)
  }
  process.exit(1)
}
// #endregion talk

// #region lines
/** Cuts the input into lines, each with its newline, and notes the reply that is due. */
async function* lines(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [] // of a line that is not whole yet
  const whole = (end: Buffer): Buffer => {
    const line = Buffer.concat([...pieces, end])
    pieces = []
    if (line.length > 1) due.push(line.length - 1) // an empty line has no reply
    return line
  }
  for await (const chunk of input) {
    let start = 0
    for (let end; (end = chunk.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      yield whole(chunk.subarray(start, end + 1))
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
  if (pieces.length > 0) yield whole(Buffer.of(NEWLINE))
  sentAll = true
}
// #endregion lines

// #region replies
/** Cuts what the server sends into replies. */
async function* replies(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [] // of a reply that is not whole yet
  let received = 0 // bytes in them
  for await (const chunk of stream) {
    pieces.push(chunk)
    received += chunk.length
    while (due.length > 0 && received >= due[0]!) {
      const length = due.shift()!
      const bytes = Buffer.concat(pieces)
      const reply = bytes.subarray(0, length)
      yield Buffer.concat([Buffer.from('received: '), reply, Buffer.of(NEWLINE)])
      pieces = [bytes.subarray(length)]
      received -= length
    }
  }
  if (due.length > 0) {
    throw new Error(`closed by the server after ${received} of ${due[0]} bytes`)
  }
  if (!sentAll) throw new Error('closed by the server')
}
// #endregion replies

function format(address = '', port = 0): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
