// A program that does jobs, and tells a collector of statistics
// how many; wrong on purpose: it should not matter whether the
// collector is there.
// usage: node no-error-handler.broken.ts COLLECTOR_PORT

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const [port = ''] = process.argv.slice(2)
let jobs = 0

// #region collector
const collector = createSocket('udp4')
collector.connect(Number(port), '127.0.0.1')
await once(collector, 'connect')
// #endregion collector

for await (const job of createInterface({ input: process.stdin })) {
  jobs++
  console.log(`done: ${job}`)
  collector.send(`jobs:${jobs}`)
}
collector.close()
