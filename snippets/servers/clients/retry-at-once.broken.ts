// Wrong on purpose: tries again at once.
// usage: node retry-at-once.broken.ts HOST PORT

import { once } from 'node:events'
import { connect } from 'node:net'

const [host, port] = process.argv.slice(2)
const start = performance.now()
for (let attempts = 1; ; attempts++) {
  try {
    await once(connect({ host: host!, port: Number(port) }), 'connect')
    break
  } catch {
    if (attempts < 200) continue
    console.log(`${attempts} attempts after ${Math.round(performance.now() - start)} ms`)
    process.exit(1) // it would go on; the page has seen enough
  }
}
