// A thousand clients lose their server at the same moment, and try to come back. A
// simulation, with a clock and dice of its own, so that each run is the same.
// usage: node herd.ts

const CLIENTS = 1000
const BASE = 100 // milliseconds
const CAP = 10_000
const END = 10_000 // of the simulation
const SLOT = 10
let seed = 1

// #region waits
const bound = (attempt: number): number => Math.min(CAP, BASE * 2 ** attempt)

const waits: [name: string, wait: (attempt: number) => number][] = [
  ['100 ms each time', () => BASE],
  ['backoff', (attempt) => bound(attempt)],
  ['backoff and jitter', (attempt) => bound(attempt) * random()],
]
// #endregion waits

console.log('                  attempts  worst 10 ms')
for (const [name, wait] of waits) {
  let attempts = 0
  const slots = new Map<number, number>()
  for (let client = 0; client < CLIENTS; client++) {
    let now = wait(0)
    for (let attempt = 1; now < END; attempt++) {
      const slot = Math.floor(now / SLOT)
      slots.set(slot, (slots.get(slot) ?? 0) + 1)
      attempts++
      now += wait(attempt)
    }
  }
  const worst = String(Math.max(...slots.values())).padStart(13)
  console.log(`${name.padEnd(18)}${String(attempts).padStart(8)}${worst}`)
}

/** The dice: mulberry32, from 0 to 1. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
}
