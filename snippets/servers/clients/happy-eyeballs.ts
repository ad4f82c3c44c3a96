// Connects to a name that has these addresses, and tells each attempt.
// usage: node happy-eyeballs.ts PORT ADDRESS ...

import { once } from 'node:events'
import { type LookupFunction, connect, isIP } from 'node:net'

const [port = '', ...addresses] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || addresses.length === 0 || !addresses.every((one) => isIP(one) !== 0)) {
  console.error('usage: node happy-eyeballs.ts PORT ADDRESS ...')
  process.exit(2)
}

const lookup: LookupFunction = (_name, _options, callback) => {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  process.nextTick(() => callback(null, found))
}

const start = performance.now()
const elapsed = (): string => `after ${(performance.now() - start).toFixed(0)} ms`

// #region connect
const socket = connect({
  host: 'a name',
  port: Number(port),
  lookup,
  autoSelectFamily: true, // the default since Node 20
  autoSelectFamilyAttemptTimeout: 250, // 500 by default in Node 26, and 250 in Node 20
})
socket.on('connectionAttempt', (address) => console.log(`${address}: attempt`))
socket.on('connectionAttemptTimeout', (address) => console.log(`${address}: given up ${elapsed()}`))
socket.on('connectionAttemptFailed', (address, _port, _family, { message }) =>
  console.log(`${address}: ${message}`),
)
// #endregion connect

// #region outcome
try {
  await once(socket, 'connect')
  console.log(`connected to ${socket.remoteAddress} ${elapsed()}`)
  socket.destroy()
} catch (error) {
  console.error(`${(error as Error).name}, message "${(error as Error).message}"`)
  for (const reason of error instanceof AggregateError ? error.errors : []) {
    console.error((reason as Error).message)
  }
  process.exitCode = 1
}
// #endregion outcome
