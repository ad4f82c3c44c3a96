// The read with node:fs, from standard input, and who waits in it.
// usage: node node-fs.ts

import { read, readFileSync, readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

const SYS_read = process.arch === 'arm64' ? 63 : 0 // asm/unistd.h

// #region fs
let done = false
const buffer = Buffer.alloc(64)
read(0, buffer, 0, 64, null, (error, received) => {
  done = true
  if (error !== null) console.error(error.message)
  else console.log(`data: ${JSON.stringify(buffer.toString('utf8', 0, received))}`)
})
console.log('fs.read has returned')
while (!done && waiting().length === 0) await setImmediate()
for (const thread of waiting()) {
  const own = Number(thread) === process.pid
  console.log(`in read(0): ${own ? 'the thread that runs JavaScript' : 'another thread'}`)
}
// #endregion fs

// #region waiting
// The threads of this process that wait in read(0). proc_pid_syscall(5)
function waiting(): string[] {
  return readdirSync('/proc/self/task').filter((thread) => {
    const [call, fd] = readFileSync(`/proc/self/task/${thread}/syscall`, 'latin1').split(' ')
    return call === String(SYS_read) && Number(fd) === 0
  })
}
// #endregion waiting
