// How a program of the book is best started: by Node, or by `npx tsx`. For each way the time from the start to the line
// `listening on`, and the processes that are left 200 ms after SIGTERM to the one that was started: `npm run bench:start`.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { processesWith } from '../test/support/leaks.ts'

const ROUNDS = 7
const folder = join(import.meta.dirname, '..', 'snippets', 'servers', 'iterative')
const ways = [
  ['node', 'reversing-server.ts', '0'],
  ['node', '--import', 'tsx', 'reversing-server.ts', '0'],
  ['npx', 'tsx', 'reversing-server.ts', '0'],
]

for (const [command, ...args] of ways) {
  const times: number[] = []
  let left = 0
  for (let round = 0; round < ROUNDS; round++) {
    const mark = randomUUID()
    const from = performance.now()
    const env = { ...process.env, BENCH_START: mark }
    const child = spawn(command!, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout!, 'data')
    times.push(performance.now() - from)
    child.kill('SIGTERM')
    await once(child, 'exit')
    await setTimeout(200)
    for (const pid of processesWith(`BENCH_START=${mark}`)) {
      left++
      process.kill(pid, 'SIGKILL')
    }
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  console.log(`${[command, ...args].join(' ')}: ${median.toFixed(0)} ms, ${left / ROUNDS} processes left`)
}
