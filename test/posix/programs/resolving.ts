// Prints by how many bytes the process grows over many calls of getaddrinfo. Run it with --expose-gc.

import { getaddrinfo } from '#posix'

const CALLS = 100_000

function grow(calls: number): void {
  for (let i = 0; i < calls; i++) getaddrinfo('127.0.0.1', '80')
  globalThis.gc!()
}

grow(CALLS / 5)
const before = process.memoryUsage.rss()
grow(CALLS)
console.log(JSON.stringify({ grown: process.memoryUsage.rss() - before }))
