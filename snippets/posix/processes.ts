// Processes, the descriptors that they share, and the limits that they have.
//
// There is no exec here. A program that wants another one uses node:child_process, which also knows
// what to do with the descriptors. fork is here to show why it cannot be used, and the calls at the
// end to show what a child inherits (servers/processes).

import { check, systemError } from './errors.ts'
import { timeval } from './options.ts'
import { lastErrno, libc } from './platform.ts'

const calls = {
  fork: libc.func('int fork()'),
  waitpid: libc.func('int waitpid(int, void *, int)'),
  dup: libc.func('int dup(int)'),
  getrlimit: libc.func('int getrlimit(int, void *)'),
  setrlimit: libc.func('int setrlimit(int, const void *)'),
  prctl: libc.func('int prctl(int, uint64_t, uint64_t, uint64_t, uint64_t)'),
  lockf: libc.func('int lockf(int, int, int64_t)'),
  flock: libc.func('int flock(int, int)'),
  alarm: libc.func('unsigned int alarm(unsigned int)'),
  setitimer: libc.func('int setitimer(int, const void *, void *)'),
  raise: libc.func('int raise(int)'),
  sigprocmask: libc.func('int sigprocmask(int, const void *, void *)'),
}

/**
 * Makes a child that is a copy of this process, and returns its id here and 0 there. Under Node the
 * child lacks V8's heap, which is not copied, and dies at its first step. fork(2),
 * madvise(2): MADV_DONTFORK
 * @throws EAGAIN (RLIMIT_NPROC, or no process ids left), ENOMEM
 */
export function fork(): number {
  return check(calls.fork(), 'fork')
}

/** A child as waitpid has found it. `status` is for WIFEXITED and its kind. */
export interface Waited {
  /** Its process id; 0 if there are children and none of them has ended yet (WNOHANG only). */
  pid: number
  status: number
}

const status = new Int32Array(1)

/**
 * Takes what is left of a child that has ended: until then it is a zombie, and keeps its id.
 * @param pid a child's id, or -1 for any child
 * @param options 0 waits, WNOHANG does not
 * @throws ECHILD (no such child), EINTR (a signal came). waitpid(2)
 */
export function waitpid(pid: number, options: number): Waited {
  status[0] = 0
  return { pid: check(calls.waitpid(pid, status, options), 'waitpid'), status: status[0] }
}

/** Whether the child has ended by itself, and then with which status. wait(2) */
export const WIFEXITED = (status: number): boolean => (status & 0x7f) === 0
export const WEXITSTATUS = (status: number): number => (status >> 8) & 0xff

/** Whether a signal has ended the child, and then which one. wait(2) */
export const WIFSIGNALED = (status: number): boolean => (((status & 0x7f) + 1) << 24) >> 25 > 0
export const WTERMSIG = (status: number): number => status & 0x7f

/**
 * A second descriptor for the same open file or socket, the lowest number that is free. It stays
 * open in exec.
 * @throws EBADF, EMFILE. dup(2)
 */
export function dup(fd: number): number {
  const copy = calls.dup(fd) as number
  if (copy < 0) throw systemError('dup', -lastErrno())
  return copy
}

/** A limit of this process: what it has to keep to (soft), and how far it may raise that (hard). */
export interface Rlimit {
  soft: number
  hard: number
}

const limits = new BigUint64Array(2)

/**
 * Reads a limit: RLIMIT_NOFILE is one more than the highest descriptor that the process may have
 * (Node raises the soft one to the hard one when it starts). No limit at all is 2^64 - 1, here
 * Infinity.
 * @throws EINVAL (no such limit). getrlimit(2)
 */
export function getrlimit(resource: number): Rlimit {
  check(calls.getrlimit(resource, limits), 'getrlimit')
  const [soft, hard] = [...limits].map((value) =>
    value === RLIM_INFINITY ? Infinity : Number(value),
  )
  return { soft: soft!, hard: hard! }
}

const RLIM_INFINITY = 2n ** 64n - 1n

/**
 * Sets a limit.
 * @throws EINVAL (no such limit, or soft above hard), EPERM (a higher hard limit, without
 * CAP_SYS_RESOURCE). setrlimit(2)
 */
export function setrlimit(resource: number, { soft, hard }: Rlimit): void {
  for (const [i, value] of [soft, hard].entries()) {
    limits[i] = value === Infinity ? RLIM_INFINITY : BigInt(value)
  }
  check(calls.setrlimit(resource, limits), 'setrlimit')
}

/**
 * Asks for something about this process: PR_SET_PDEATHSIG with a signal, which the kernel then sends
 * when the thread that started this process ends. Not inherited by fork.
 * @throws EINVAL (no such option, or no such signal). prctl(2)
 */
export function prctl(option: number, argument: number): number {
  return check(calls.prctl(option, argument, 0, 0, 0), 'prctl')
}

/**
 * A record lock, of this process on a part of a file: F_LOCK waits for it, F_TLOCK does not, F_TEST
 * tells of a lock that another process has, F_ULOCK unlocks.
 * @param length in bytes from the descriptor's place in the file; 0 goes on to the end
 * @throws EACCES or EAGAIN (F_TEST, F_TLOCK: another process has it), EBADF (also a descriptor that
 * cannot be written, save for F_TEST), EDEADLK. lockf(3)
 */
export function lockf(fd: number, command: number, length: number): void {
  check(calls.lockf(fd, command, length), 'lockf')
}

/**
 * A lock on a whole file, of everyone who has the descriptor or a copy of it: LOCK_SH, LOCK_EX,
 * LOCK_UN, or-ed with LOCK_NB in order not to wait.
 * @throws EAGAIN (LOCK_NB: it is locked through another descriptor), EINTR. flock(2)
 */
export function flock(fd: number, operation: number): void {
  check(calls.flock(fd, operation), 'flock')
}

/**
 * Has the kernel send SIGALRM after so many seconds, in place of what was asked for before; 0 for
 * never. Returns how many seconds were left of that. alarm(2)
 */
export function alarm(seconds: number): number {
  return calls.alarm(seconds) as number
}

/**
 * struct itimerval, 32 bytes: the time between one signal and the next (0: there is no next), and
 * the time until the first (0: none at all), in milliseconds.
 */
export function itimerval(interval: number, value: number): Uint8Array {
  return Buffer.concat([timeval(interval), timeval(value)])
}

/**
 * Sends a signal at the times of an itimerval: SIGALRM for ITIMER_REAL.
 * @throws EINVAL (no such timer), RangeError for too few bytes. setitimer(2)
 */
export function setitimer(which: number, times: Uint8Array): void {
  if (times.byteLength < 32) throw new RangeError('setitimer: an itimerval has 32 bytes')
  check(calls.setitimer(which, times, null), 'setitimer')
}

/** Sends a signal to this very thread. Throws EINVAL (no such signal). raise(3) */
export function raise(signal: number): void {
  check(calls.raise(signal), 'raise')
}

/** sigset_t, 128 bytes: one bit for each signal. sigsetops(3) */
export function sigset(...signals: number[]): Uint8Array {
  const set = new Uint8Array(128)
  for (const signal of signals) set[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7)
  return set
}

/**
 * Changes which signals this thread holds back: SIG_BLOCK adds those of `set`, SIG_UNBLOCK takes
 * them away, SIG_SETMASK holds back these and no others. A signal that comes meanwhile is pending.
 * @throws EINVAL (no such command). sigprocmask(2)
 */
export function sigprocmask(how: number, set: Uint8Array): void {
  if (set.byteLength < 128) throw new RangeError('sigprocmask: a sigset_t has 128 bytes')
  check(calls.sigprocmask(how, set, null), 'sigprocmask')
}
