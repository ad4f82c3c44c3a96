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
const told = new Set<string>()
let attempts = 0
let answers = 0
let failedAt = Infinity // the attempts so far, at the first that has failed

/** One connection after the other. */
async function ask(): Promise<void> {
  while (!ended) {
    const attempt = ++attempts
    try {
      const socket = connect({ port: Number(port), host })
      await once(socket, 'connect')
      const answer = (await text(socket)).trim()
      if (answer === '') throw new Error('closed without an answer')
      answers++
      tell(attempt > failedAt ? `${answer}, after a gap` : answer)
    } catch {
      failedAt = Math.min(failedAt, attempts)
      tell('no answer')
      await wait(PAUSE)
    }
  }
}

/** Says each thing once: there are thousands of answers. */
function tell(what: string): void {
  if (!told.has(what)) console.log(what)
  told.add(what)
}
// #endregion ask

await Promise.all(Array.from({ length: AT_ONCE }, ask))
console.log(answers === attempts ? 'each connection was answered' : 'some were not answered')
if (answers === 0) process.exitCode = 1
