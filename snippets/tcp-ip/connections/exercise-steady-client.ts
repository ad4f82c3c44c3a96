// Connects without pause until its standard input ends, and says whether each one was answered.
// usage: node exercise-steady-client.ts PORT [HOST]

import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) === 0) {
  console.error('usage: node exercise-steady-client.ts PORT [HOST]')
  process.exit(2)
}

const AT_ONCE = 4
const PAUSE = 10 // milliseconds, after a failure
let ended = false
process.stdin.resume().once('end', () => (ended = true))

// #region ask
let answers = 0
let failures = 0
let last = ''

/** One connection after the other. */
async function ask(): Promise<void> {
  while (!ended) {
    try {
      const socket = connect({ port: Number(port), host })
      await once(socket, 'connect')
      tell((await text(socket)).trim())
      answers++
    } catch {
      tell('no answer')
      failures++
      await wait(PAUSE)
    }
  }
}

/** What is new: the first answer, a later generation, a failure, the first answer after one. */
function tell(what: string): void {
  const isOlder = last !== 'no answer' && what < last && what !== 'no answer'
  if (what !== last && !isOlder) console.log(what)
  if (!isOlder) last = what
}
// #endregion ask

await Promise.all(Array.from({ length: AT_ONCE }, ask))
console.log(failures === 0 ? 'each connection was answered' : 'some were not answered')
if (answers === 0) process.exitCode = 1
