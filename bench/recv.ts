// What a call through snippets/posix costs beside the same call in C: recv() on a bad descriptor, so that nothing but the way
// into the kernel and back is measured. Both sides run in turn, five times each, on the same core: `npm run bench:recv`.
// Needs a C compiler (cc) and taskset (util-linux).

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EBADF, tryRecv } from '#posix'

const CALLS = 300_000

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

function typescript(): number {
  const buf = Buffer.alloc(65536)
  const rounds: number[] = []
  for (let round = 0; round < 9; round++) {
    const from = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) if (tryRecv(-1, buf, buf.length, 0) !== -EBADF) throw new Error('recv on -1 did not fail')
    rounds.push(Number(process.hrtime.bigint() - from) / CALLS)
  }
  return median(rounds)
}

if (process.argv[2] === '--typescript') {
  console.log(typescript().toFixed(1))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'recv-'))
  const c = join(folder, 'recv')
  try {
    execFileSync('cc', ['-O2', '-o', c, join(import.meta.dirname, 'recv.c')])
    const ratios: number[] = []
    for (let i = 0; i < 5; i++) {
      const inC = Number(execFileSync('taskset', ['-c', '1', c]))
      const inTypeScript = Number(execFileSync('taskset', ['-c', '1', process.execPath, import.meta.filename, '--typescript']))
      ratios.push(inTypeScript / inC)
      console.log(`C ${inC.toFixed(1)} ns   TypeScript ${inTypeScript.toFixed(1)} ns   ratio ${ratios.at(-1)!.toFixed(2)}`)
    }
    console.log(`median ratio ${median(ratios).toFixed(2)}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
