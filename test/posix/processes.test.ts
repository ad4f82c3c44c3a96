import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import {
  AF_INET,
  FD_CLOEXEC,
  F_GETFD,
  RLIMIT_NOFILE,
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
  setrlimit,
  setsockopt,
  socket,
  waitpid,
} from '#posix'

/** Runs a piece of a program in a process of its own, since its children and its limits would be ours. */
function inProcess(text: string): string {
  const program = `import * as posix from '#posix'\nimport { spawn } from 'node:child_process'\n${text}`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  return stdout + stderr
}

describe('waitpid', () => {
  test('without children is ECHILD', () => {
    expect(inProcess('try { posix.waitpid(-1, 0) } catch (error) { console.log(error.message, error.errno) }')).toBe(
      'waitpid ECHILD: no child processes -10\n',
    )
  })

  test('tells how each child ended, once', () => {
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
    expect(inProcess(text)).toBe('true 0 false 0\ntrue 7 false 0\nfalse 0 true 9\nECHILD\n')
  })

  test('with WNOHANG does not wait for a child that runs', () => {
    const text = `
      const child = spawn('cat')
      console.log(posix.waitpid(-1, posix.WNOHANG))
      child.kill('SIGTERM')
      console.log(posix.waitpid(child.pid, 0).status)
      process.exit(0)`
    expect(inProcess(text)).toBe('{ pid: 0, status: 0 }\n15\n')
  })

  test('a stopped child is neither', () => {
    const stopped = 0x137f
    expect([WIFEXITED(stopped), WIFSIGNALED(stopped)]).toEqual([false, false])
    expect([WEXITSTATUS(0xff00), WTERMSIG(0x8b)]).toEqual([255, 11])
    expect(WNOHANG).toBe(1)
  })
})

test('fork makes a child that cannot go on, and that waitpid finds', () => {
  const text = `
    const pid = posix.fork()
    if (pid === 0) console.log('the child runs')
    const { status } = posix.waitpid(pid, 0)
    console.log(posix.WIFSIGNALED(status), posix.WTERMSIG(status))`
  expect(inProcess(text)).toBe('true 11\n')
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

  test('past RLIMIT_NOFILE is EMFILE', () => {
    const text = `
      const { hard } = posix.getrlimit(posix.RLIMIT_NOFILE)
      posix.setrlimit(posix.RLIMIT_NOFILE, { soft: 3, hard })
      try { posix.dup(0) } catch (error) { console.log(error.message) }`
    expect(inProcess(text)).toBe('dup EMFILE: too many open files\n')
  })
})

describe('getrlimit and setrlimit', () => {
  test('read the hard limit that the shell has set, to which Node has raised the soft one', () => {
    const text = 'console.log(posix.getrlimit(posix.RLIMIT_NOFILE))'
    const program = `import * as posix from '#posix'\n${text}`
    const shell = `ulimit -S -n 100 && ulimit -H -n 200 && exec "$0" --input-type=module-typescript -e "$1"`
    const { stdout } = spawnSync('sh', ['-c', shell, process.execPath, program], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    expect(stdout).toBe('{ soft: 200, hard: 200 }\n')
  })

  test('refuse a soft limit above the hard one, and a limit that is none', () => {
    const { hard } = getrlimit(RLIMIT_NOFILE)
    expect(() => setrlimit(RLIMIT_NOFILE, { soft: hard + 1, hard })).toThrow('setrlimit EINVAL: invalid argument')
    expect(() => getrlimit(99)).toThrow('getrlimit EINVAL: invalid argument')
  })

  test('no limit is Infinity', () => {
    const text = `
      posix.setrlimit(posix.RLIMIT_NPROC, { soft: 1000, hard: Infinity })
      console.log(posix.getrlimit(posix.RLIMIT_NPROC))`
    const { hard } = getrlimit(6)
    if (hard === Infinity) expect(inProcess(text)).toBe('{ soft: 1000, hard: Infinity }\n')
    else expect(inProcess(text)).toContain('setrlimit EPERM')
  })
})

test('a child of node:child_process can be waited for by its id only as long as Node has not done so', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  expect(() => waitpid(child.pid!, WNOHANG)).toThrow('waitpid ECHILD: no child processes')
})
