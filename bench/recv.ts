// What a call through snippets/posix costs beside the same call in C: recv() on a bad descriptor,
// so that nothing but the way into the kernel and back is measured. `node bench/recv.ts` runs both
// in turn on one core, seven times each, and prints the ratios and their median. A run counts by
// its fastest round of a few milliseconds: whatever else the machine does can only make a round
// slower. Needs a C compiler (cc) and taskset (util-linux).

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EBADF, tryRecv } from '#posix'

const PAIRS = 7
const ROUNDS = 100
const CALLS = 20_000

function typescript(): number {
  const buf = Buffer.alloc(65_536)
  let fastest = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const from = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) {
      if (tryRecv(-1, buf, buf.length, 0) !== -EBADF) throw new Error('recv on -1 did not fail with EBADF')
    }
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - from) / CALLS)
  }
  return fastest
}

function compare(): void {
  const folder = mkdtempSync(join(tmpdir(), 'recv-'))
  try {
    const c = join(folder, 'recv')
    execFileSync('cc', ['-O2', '-o', c, join(import.meta.dirname, 'recv.c')])
    const onOneCore = (...command: string[]): number => Number(execFileSync('taskset', ['-c', '0', ...command]))
    const ratios: number[] = []
    for (let i = 0; i < PAIRS; i++) {
      const inC = onOneCore(c)
      const inTypeScript = onOneCore(process.execPath, import.meta.filename, '--typescript')
      const ratio = inTypeScript / inC
      ratios.push(ratio)
      console.log(`C ${inC.toFixed(1)} ns   TypeScript ${inTypeScript.toFixed(1)} ns   ratio ${ratio.toFixed(2)}`)
    }
    console.log(`median ratio ${ratios.toSorted((a, b) => a - b)[Math.floor(PAIRS / 2)]!.toFixed(2)}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[2] === '--typescript') console.log(typescript().toFixed(1))
else compare()
