// One line to the reversing server and its reply, tried again where that may help.
// usage: node retry.ts HOST PORT [once]   (once: the request must not be made twice)

import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [host = '', port = '', repeat = ''] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || host === '' || !['', 'once'].includes(repeat)) {
  console.error('usage: node retry.ts HOST PORT [once]')
  process.exit(2)
}

// #region numbers
const BASE = 20 // milliseconds: small, so that you need not wait
const CAP = 100
const ATTEMPTS = 6
const budget = AbortSignal.timeout(10_000) // for all of it
// #endregion numbers

/** Why a connect may fail now and work later. */
const PASSING = new Set([
  'ECONNREFUSED', // the server is being restarted
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN', // no name server has answered
  'ABORT_ERR', // our own limit
])

const line = Buffer.from('hello\n')
let sent = false // whether the server may have begun

// #region retry
try {
  for (let attempt = 1; ; attempt++) {
    try {
      console.log(`received: ${await ask()}`)
      break
    } catch (error) {
      console.log(`attempt ${attempt}: ${reason(error)}`)
      if (!mayRepeat(error)) throw new Error('not tried again', { cause: error })
      if (attempt === ATTEMPTS) throw new Error('gave up', { cause: error })
      const bound = Math.min(CAP, BASE * 2 ** (attempt - 1))
      console.log(`  waits 0 to ${bound} ms`)
      await sleep(Math.random() * bound, undefined, { signal: budget })
    }
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
// #endregion retry

// #region ask
async function ask(): Promise<Buffer> {
  sent = false
  const signal = AbortSignal.any([AbortSignal.timeout(2000), budget]) // for this attempt
  const socket = connect({ host, port: Number(port), signal })
  await once(socket, 'connect')
  sent = true
  socket.write(line)
  const chunks: Buffer[] = []
  let missing = line.length - 1
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if ((missing -= chunk.length) <= 0) return Buffer.concat(chunks)
  }
  throw new Error(`closed by the server ${missing} bytes too early`)
}
// #endregion ask

// #region may-repeat
/** Whether trying again does no harm, and may end otherwise. */
function mayRepeat(error: unknown): boolean {
  if (sent) return repeat !== 'once' // the server may have done it, and only the answer is lost
  return PASSING.has((error as NodeJS.ErrnoException).code ?? '')
}
// #endregion may-repeat

function reason(error: unknown): string {
  const reasons = error instanceof AggregateError ? error.errors : [error]
  return reasons.map((one) => (one as Error).message).join(', ')
}
