// Runs a command to which the kernel refuses one system call with an error, as a container may: a seccomp filter, which the
// command inherits. usage: node without-call.ts NUMBER ERRNO COMMAND... seccomp(2)

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE, check, mmap } from '#posix'
import { libc } from '../../snippets/posix/platform.ts'

const [number, errno, command, ...args] = process.argv.slice(2)
const refusal = constants.errno[errno as keyof typeof constants.errno]

const PR_SET_SECCOMP = 22
const PR_SET_NO_NEW_PRIVS = 38
const SECCOMP_MODE_FILTER = 2
const SECCOMP_RET_ERRNO = 0x50000
const SECCOMP_RET_ALLOW = 0x7fff0000

// struct sock_filter { u16 code; u8 jt; u8 jf; u32 k }, 8 bytes each
const filter: [code: number, jt: number, jf: number, k: number][] = [
  [0x20, 0, 0, 0], // load the number of the call, which is the first word of struct seccomp_data
  [0x15, 0, 1, Number(number)], // is it the one? if not, leave one instruction out
  [0x06, 0, 0, SECCOMP_RET_ERRNO | refusal],
  [0x06, 0, 0, SECCOMP_RET_ALLOW],
]
const { address, bytes } = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
for (const [i, [code, jt, jf, k]] of filter.entries()) {
  bytes.writeUInt16LE(code, 8 * i)
  bytes.writeUInt8(jt, 8 * i + 2)
  bytes.writeUInt8(jf, 8 * i + 3)
  bytes.writeUInt32LE(k, 8 * i + 4)
}
const program = 8 * filter.length // struct sock_fprog { u16 len; struct sock_filter *filter }
bytes.writeUInt16LE(filter.length, program)
bytes.writeBigUInt64LE(address, program + 8)

const prctl = libc.func('int prctl(int, uint64_t, uint64_t, uint64_t, uint64_t)')
check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) as number, 'prctl')
check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, address + BigInt(program), 0, 0) as number, 'prctl')

const child = spawn(command!, args, { stdio: 'inherit' })
child.on('exit', (status, signal) => {
  if (signal !== null) process.kill(process.pid, signal)
  process.exitCode = status ?? 1
})
