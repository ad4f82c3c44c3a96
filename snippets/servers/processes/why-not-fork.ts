// What becomes of a Node that calls fork.
// usage: node why-not-fork.ts

import { readFileSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { WEXITSTATUS, WIFSIGNALED, WTERMSIG, fork, waitpid } from '#posix'

// #region fork
const pid = fork()
if (pid === 0) {
  writeSync(1, 'this is the child\n')
  process.exit(0)
}
const { status } = waitpid(pid, 0)
// #endregion fork
const signals = Object.entries(constants.signals)
const signal = signals.find(([, number]) => number === WTERMSIG(status))?.[0]
const end = WIFSIGNALED(status) ? signal : `status ${WEXITSTATUS(status)}`
console.log(`this is the parent, and pid ${pid} has ended: ${end}`)

// #region not-copied
// VmFlags of a mapping: rd, wr, ex for readable, writable, executable; dc for
// MADV_DONTFORK, "do not copy area on fork". proc_pid_smaps(5)
const mappings = readFileSync('/proc/self/smaps', 'utf8')
const some = /^VmFlags: .* dc\b/m.test(mappings)
console.log(`memory that fork does not copy: ${some ? 'yes' : 'no'}`)
// #endregion not-copied
