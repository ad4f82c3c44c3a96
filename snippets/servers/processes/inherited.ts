// What a child has of its parent, and what it has not.
// usage: node inherited.ts

import { spawnSync } from 'node:child_process'
import { openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  F_GETFL,
  F_LOCK,
  F_TEST,
  LOCK_EX,
  LOCK_NB,
  O_NONBLOCK,
  RLIMIT_NOFILE,
  SIG_BLOCK,
  alarm,
  fcntl,
  flock,
  getrlimit,
  lockf,
  raise,
  setNonBlocking,
  setrlimit,
  sigprocmask,
  sigset,
} from '#posix'

type Findings = Record<string, string>

if (process.argv[2] === 'child') {
  console.log(JSON.stringify(findings(3))) // the parent's descriptor is 3 here
  setNonBlocking(3)
} else {
  const path = join(tmpdir(), `inherited-${process.pid}`)
  writeFileSync(path, 'abcdef')
  const fd = openSync(path, 'r+')
  rmSync(path) // the open file stays

  // #region parent
  process.env['COLOUR'] = 'green'
  process.umask(0o027)
  setrlimit(RLIMIT_NOFILE, { soft: 500, hard: 500 })
  flock(fd, LOCK_EX)
  lockf(fd, F_LOCK, 0)
  alarm(1000)
  sigprocmask(SIG_BLOCK, sigset(constants.signals.SIGUSR2))
  raise(constants.signals.SIGUSR2) // blocked, so it stays pending

  const ours = findings(fd)
  const command = [...process.execArgv, import.meta.filename, 'child']
  const child = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit', fd],
  })
  // #endregion parent

  const theirs = JSON.parse(child.stdout) as Findings
  // Before a Node can look it has worked, and has chosen its signals. So for these two the
  // child is cat.
  const times = Array.from({ length: 5 }, () => processorTime(fileOfCat('/proc/self/stat')))
  theirs['processor time'] = times.includes('none') ? 'none' : 'some' // a busy machine adds to it
  theirs['SIGPIPE'] = sigpipe(fileOfCat('/proc/self/status'))
  console.log(`${''.padEnd(20)} parent      child`)
  for (const [what, value] of Object.entries(ours))
    console.log(`${what.padEnd(20)} ${value.padEnd(11)} ${theirs[what]}`)
  console.log('\nafterwards, in the parent:')
  console.log(`the next bytes are ${next(fd)}`)
  console.log(`O_NONBLOCK is ${fcntl(fd, F_GETFL) & O_NONBLOCK ? 'set' : 'not set'}`)
}

// #region findings
function findings(fd: number): Findings {
  const status = readFileSync('/proc/thread-self/status', 'utf8')
  return {
    environment: process.env['COLOUR'] ?? 'none',
    umask: process.umask().toString(8),
    'most descriptors': `${getrlimit(RLIMIT_NOFILE).hard}`,
    'bytes of the file': next(fd),
    'lock (flock)': has(() => flock(fd, LOCK_EX | LOCK_NB)),
    'lock (lockf)': has(() => lockf(fd, F_TEST, 0)),
    alarm: alarm(1000) > 0 ? 'set' : 'none', // tells of the one before, and sets another
    'blocked signals': signalsOf('SigBlk', status),
    'pending signals': signalsOf('SigPnd', status),
    SIGPIPE: sigpipe(status),
    'processor time': processorTime(readFileSync('/proc/self/stat', 'utf8')),
  }
}

// The next two bytes, from the place that the open file has come to.
function next(fd: number): string {
  const bytes = Buffer.alloc(2)
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, 2, null))
}

// Whether a lock that somebody has is this process's own.
function has(call: () => void): string {
  try {
    call()
    return 'its own'
  } catch {
    return "another's"
  }
}
// #endregion findings

function sigpipe(status: string): string {
  return signalsOf('SigIgn', status).includes('SIGPIPE') ? 'ignored' : 'default'
}

function fileOfCat(path: string): string {
  return spawnSync('cat', [path], { encoding: 'utf8' }).stdout
}

// A set of signals as the kernel prints it: a bit for each, the first one last.
// proc_pid_status(5)
function signalsOf(name: string, status: string): string {
  const set = BigInt(`0x${new RegExp(`^${name}:\\s+(\\w+)$`, 'm').exec(status)?.[1]}`)
  const names = Object.entries(constants.signals)
    .filter(([, number]) => (set >> BigInt(number - 1)) & 1n)
    .map(([name]) => name)
  return names.join(' ') || 'none'
}

// utime and stime, in hundredths of a second. proc_pid_stat(5)
function processorTime(stat: string): string {
  const [utime, stime] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14)
  return Number(utime) + Number(stime) > 0 ? 'some' : 'none'
}
