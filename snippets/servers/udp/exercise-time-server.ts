// Tells the time to those who ask with as many bytes as the answer
// will have.
// usage: node exercise-time-server.ts PORT [HOST]

import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node exercise-time-server.ts PORT [HOST]')
  process.exit(2)
}

// #region protocol
// A question: 'Q', four bytes that are the client's, padding up to 29 bytes or more.
// An answer: 'A', the same four bytes, the time as in 2026-11-01T12:00:00.000Z: 29 bytes.
const HEADER = 5
const LENGTH = HEADER + 24

const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
socket.on('message', (question, { address, port }) => {
  if (port === 0) return
  // Not a word to what is no question: not to an answer, and not
  // to one that costs less than ours.
  if (question.length < LENGTH || question.toString('latin1', 0, 1) !== 'Q') return
  const answer = Buffer.from(`A....${new Date().toISOString()}`)
  question.copy(answer, 1, 1, HEADER)
  socket.send(answer, port, address, (error) => error !== null && console.log(error.message))
})
// #endregion protocol

socket.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
socket.on('listening', () => {
  const { address, port } = socket.address()
  console.log(`listening on ${address.includes(':') ? `[${address}]` : address}:${port}`)
})
socket.bind(Number(port), host)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => socket.close())
