import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import {
  AF_INET,
  FD_CLOEXEC,
  F_GETFD,
  ITIMER_REAL,
  PR_SET_PDEATHSIG,
  RLIMIT_NOFILE,
  SIG_SETMASK,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  WEXITSTATUS,
  WIFEXITED,
  WIFSIGNALED,
  WNOHANG,
  WTERMSIG,
  close,
  dup,
  fcntl,
  getrlimit,
  getsockoptInt,
  itimerval,
  prctl,
  raise,
  setitimer,
  setrlimit,
  setsockopt,
  sigprocmask,
  socket,
  timeval,
  waitpid,
} from '#posix'
import { runToEnd } from '../support/spawn.ts'

/** Runs a piece of a program in a process of its own, since its children and its limits would be ours. */
async function inProcess(text: string): Promise<string> {
  const program = `import * as posix from '#posix'\nimport { spawn } from 'node:child_process'\n${text}`
  const command = ['--input-type=module', '-e', program]
  const { stdout, stderr } = await runToEnd(process.execPath, command, { cwd: import.meta.dirname })
  return stdout + stderr
}

describe('waitpid', () => {
  test('without children is ECHILD', async () => {
    expect(
      await inProcess('try { posix.waitpid(-1, 0) } catch (error) { console.log(error.message, error.errno) }'),
    ).toBe('waitpid ECHILD: no child processes -10\n')
  })

  test('tells how each child ended, once', async () => {
    const text = `
      const statusOf = (command) => {
        const { pid } = spawn('sh', ['-c', command])
        const waited = posix.waitpid(pid, 0)
        if (waited.pid !== pid) throw new Error('another child')
        return waited.status
      }
      for (const command of ['exit 0', 'exit 7', 'kill -9 $$']) {
        const s = statusOf(command)
        console.log(posix.WIFEXITED(s), posix.WEXITSTATUS(s), posix.WIFSIGNALED(s), posix.WTERMSIG(s))
      }
      try { posix.waitpid(-1, 0) } catch (error) { console.log(error.code) }
      process.exit(0)`
    expect(await inProcess(text)).toBe('true 0 false 0\ntrue 7 false 0\nfalse 0 true 9\nECHILD\n')
  })

  test('with WNOHANG does not wait for a child that runs', async () => {
    const text = `
      const child = spawn('cat')
      console.log(posix.waitpid(-1, posix.WNOHANG))
      child.kill('SIGTERM')
      console.log(posix.waitpid(child.pid, 0).status)
      process.exit(0)`
    expect(await inProcess(text)).toBe('{ pid: 0, status: 0 }\n15\n')
  })

  test('a stopped child is neither', () => {
    const stopped = 0x137f
    expect([WIFEXITED(stopped), WIFSIGNALED(stopped)]).toEqual([false, false])
    expect([WEXITSTATUS(0xff00), WTERMSIG(0x8b)]).toEqual([255, 11])
    expect(WNOHANG).toBe(1)
  })
})

test('fork makes a child that cannot go on, and that waitpid finds', async () => {
  const text = `
    const pid = posix.fork()
    if (pid === 0) console.log('the child runs')
    const { status } = posix.waitpid(pid, 0)
    console.log(posix.WIFSIGNALED(status), posix.WTERMSIG(status))`
  expect(await inProcess(text)).toBe('true 11\n')
})

describe('dup', () => {
  test('is the same socket under another number, without FD_CLOEXEC', () => {
    const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
    const copy = dup(fd)
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
    expect(copy).not.toBe(fd)
    expect([fcntl(fd, F_GETFD), fcntl(copy, F_GETFD)]).toEqual([FD_CLOEXEC, 0])
    close(fd)
    expect(getsockoptInt(copy, SOL_SOCKET, SO_KEEPALIVE)).toBe(1)
    close(copy)
  })

  test('of a closed descriptor is EBADF', () => {
    expect(() => dup(-1)).toThrow('dup EBADF: bad file descriptor')
  })

  test('past RLIMIT_NOFILE is EMFILE', async () => {
    const text = `
      const { hard } = posix.getrlimit(posix.RLIMIT_NOFILE)
      posix.setrlimit(posix.RLIMIT_NOFILE, { soft: 3, hard })
      try { posix.dup(0) } catch (error) { console.log(error.message) }`
    expect(await inProcess(text)).toBe('dup EMFILE: too many open files\n')
  })
})

describe('getrlimit and setrlimit', () => {
  test('read the hard limit that the shell has set, to which Node has raised the soft one', async () => {
    const text = 'console.log(posix.getrlimit(posix.RLIMIT_NOFILE))'
    const program = `import * as posix from '#posix'\n${text}`
    const shell = `ulimit -S -n 100 && ulimit -H -n 200 && exec "$0" --input-type=module -e "$1"`
    const { stdout } = await runToEnd('sh', ['-c', shell, process.execPath, program], { cwd: import.meta.dirname })
    expect(stdout).toBe('{ soft: 200, hard: 200 }\n')
  })

  test('refuse a soft limit above the hard one, and a limit that is none', () => {
    const { hard } = getrlimit(RLIMIT_NOFILE)
    expect(() => setrlimit(RLIMIT_NOFILE, { soft: hard + 1, hard })).toThrow('setrlimit EINVAL: invalid argument')
    expect(() => getrlimit(99)).toThrow('getrlimit EINVAL: invalid argument')
  })

  test('no limit is Infinity', async () => {
    const text = `
      posix.setrlimit(posix.RLIMIT_NPROC, { soft: 1000, hard: Infinity })
      console.log(posix.getrlimit(posix.RLIMIT_NPROC))`
    const { hard } = getrlimit(6)
    if (hard === Infinity) expect(await inProcess(text)).toBe('{ soft: 1000, hard: Infinity }\n')
    else expect(await inProcess(text)).toContain('setrlimit EPERM')
  })
})

test('a child of node:child_process can be waited for by its id only as long as Node has not done so', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  expect(() => waitpid(child.pid!, WNOHANG)).toThrow('waitpid ECHILD: no child processes')
})

describe('locks', () => {
  // A file of its own, `fd` open on it, and `child`: the same program with CHILD set, its descriptor 3 being ours.
  const setUp = `
    import { closeSync, openSync, rmSync } from 'node:fs'
    import { spawnSync } from 'node:child_process'
    const file = process.argv[1]
    const fd = process.env.CHILD ? 3 : openSync(file, 'w+')
    const child = () => spawnSync(process.execPath, [...process.execArgv, file], {
      encoding: 'utf8', env: { ...process.env, CHILD: '1' }, stdio: ['ignore', 'pipe', 'inherit', fd] }).stdout.trim()
    const attempt = (call) => { try { call(); return 'ok' } catch (error) { return error.message } }
    `

  async function inFolder(text: string): Promise<string> {
    const folder = mkdtempSync(join(inject('runFolder'), 'locks-'))
    const program = `import * as posix from '#posix'\n${setUp}${text}`
    const command = ['--input-type=module', '-e', program, join(folder, 'file')]
    const { stdout, stderr } = await runToEnd(process.execPath, command, { cwd: import.meta.dirname })
    return stdout + stderr
  }

  test('a record lock is of one process: its child does not have it', async () => {
    const text = `
      if (process.env.CHILD) {
        console.log(attempt(() => posix.lockf(fd, posix.F_TEST, 0)), attempt(() => posix.lockf(fd, posix.F_TLOCK, 0)))
      } else {
        posix.lockf(fd, posix.F_LOCK, 0)
        console.log(attempt(() => posix.lockf(fd, posix.F_TEST, 0)))
        console.log(child())
        posix.lockf(fd, posix.F_ULOCK, 0)
        console.log(child())
      }`
    const denied = /lockf (EACCES: permission denied|EAGAIN: resource temporarily unavailable)/.source
    expect(await inFolder(text)).toMatch(new RegExp(`^ok\\n${denied} ${denied}\\nok ok\\n$`))
  })

  test('flock is of the open file: a child that has inherited it has the lock, another descriptor has not', async () => {
    const text = `
      const exclusive = posix.LOCK_EX | posix.LOCK_NB
      if (process.env.CHILD) {
        const other = openSync(file, 'r')
        console.log(attempt(() => posix.flock(fd, exclusive)), attempt(() => posix.flock(other, exclusive)))
        console.log(attempt(() => posix.flock(fd, posix.LOCK_SH)), attempt(() => posix.flock(other, posix.LOCK_SH)))
        posix.flock(fd, posix.LOCK_UN)
        console.log(attempt(() => posix.flock(other, exclusive)))
      } else {
        posix.flock(fd, exclusive)
        console.log(child())
      }`
    const denied = 'flock EAGAIN: resource temporarily unavailable'
    expect(await inFolder(text)).toBe(`ok ${denied}\nok ok\nok\n`)
  })
})

test('alarm tells what was left of the one before, and sends SIGALRM', async () => {
  const text = `
    console.log(posix.alarm(1000), posix.alarm(1000) > 900, posix.alarm(0) > 900, posix.alarm(0))
    process.once('SIGALRM', () => process.exit(0))
    posix.alarm(1)
    setTimeout(() => process.exit(1), 10_000)
    process.on('exit', (status) => console.log(status))`
  expect(await inProcess(text)).toBe('0 true true 0\n0\n')
})

test('setitimer sends SIGALRM again and again', async () => {
  const text = `
    let alarms = 0
    process.on('SIGALRM', () => {
      alarms += 1
      if (alarms === 2) process.exit(0)
    })
    posix.setitimer(posix.ITIMER_REAL, posix.itimerval(10, 1))
    setTimeout(() => process.exit(1), 10_000)
    process.on('exit', (status) => console.log(status))`
  expect(await inProcess(text)).toBe('0\n')
  expect(() => setitimer(99, itimerval(0, 0))).toThrow('setitimer EINVAL: invalid argument')
  expect(() => setitimer(ITIMER_REAL, timeval(0))).toThrow('an itimerval has 32 bytes')
})

test('a signal that is held back is pending, and comes when it is let through', async () => {
  const text = `
    import { readFileSync } from 'node:fs'
    import { constants } from 'node:os'
    const { SIGUSR2 } = constants.signals
    const set = posix.sigset(SIGUSR2)
    const state = () => [...readFileSync('/proc/thread-self/status', 'utf8').matchAll(/^(SigPnd|SigBlk):\\s+0*(\\w+)$/gm)]
      .map(([, name, bits]) => name + ' ' + bits).join(', ')
    process.once('SIGUSR2', () => { console.log('SIGUSR2'); process.exit(0) })
    posix.sigprocmask(posix.SIG_BLOCK, set)
    posix.raise(SIGUSR2)
    console.log(state())
    posix.sigprocmask(posix.SIG_UNBLOCK, set)
    console.log(state())
    setTimeout(() => {}, 10_000)`
  expect(await inProcess(text)).toBe('SigPnd 800, SigBlk 800\nSigPnd 0, SigBlk 0\nSIGUSR2\n')
  expect(() => raise(999)).toThrow('raise EINVAL: invalid argument')
  expect(() => sigprocmask(SIG_SETMASK, new Uint8Array(8))).toThrow('sigprocmask: a sigset_t has 128 bytes')
})

test('a child that asked for it is sent a signal when its parent ends', async () => {
  // The grandchild says that it is ready, and ends with the pipe that we read.
  const grandchild = `import * as posix from '#posix'
    posix.prctl(posix.PR_SET_PDEATHSIG, 15)
    console.log('ready')
    setTimeout(() => console.log('nobody has ended it'), 10_000)`
  const parent = `
    import { spawn } from 'node:child_process'
    spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', parent], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.includes('ready')) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(text).toBe('ready\n')
  expect(() => prctl(PR_SET_PDEATHSIG, 999)).toThrow('prctl EINVAL: invalid argument')
})
