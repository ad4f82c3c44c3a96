// The children of the tests: by posix_spawn on Linux, and by node:child_process, behind the same interface, where that cannot be had.

import { spawn as spawnByNode } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, inject, test } from 'vitest'
import {
  RLIMIT_NOFILE,
  SIG_BLOCK,
  SIG_UNBLOCK,
  WNOHANG,
  getrlimit,
  setrlimit,
  sigprocmask,
  sigset,
  waitpid,
} from '#posix'
import { stateOf } from '../support/blocked.ts'
import { posixSpawn } from '../support/posix-spawn.ts'
import { type Child, runToEnd, spawn, spawnThroughNode } from '../support/spawn.ts'
import { LIMIT, until, within } from '../support/within.ts'
import { code, descriptors } from './sockets.ts'

test('here it is posix_spawn', () => {
  expect(spawn).toBe(posixSpawn)
})

/** Waits without a turn of the event loop. */
function waitUntil(condition: () => boolean): void {
  const limit = performance.now() + LIMIT
  while (!condition()) if (performance.now() > limit) throw new Error('waited too long')
}

function folder(): string {
  return mkdtempSync(join(inject('runFolder'), 'spawn-'))
}

describe.each([
  ['posix_spawn', posixSpawn],
  ['node:child_process', spawnThroughNode],
])('a child by %s', (_name, spawn) => {
  const shell = (script: string): Child => spawn({ file: 'sh', args: ['-c', script] })
  const cat = (): Child => spawn({ file: 'cat', args: [] })

  test('ends with a status, and with what it has printed', async () => {
    const child = shell('echo out; echo err >&2; exit 3')
    const all = [child.ended, text(child.stdout), text(child.stderr)]
    expect(await Promise.all(all)).toEqual([{ status: 3, signal: null }, 'out\n', 'err\n'])
    expect(child.running()).toBe(false)
  })

  test('ends by a signal', async () => {
    const child = cat()
    expect(child.running()).toBe(true)
    child.kill('SIGTERM')
    expect(await within(child.ended, 'the end of cat')).toEqual({ status: null, signal: 'SIGTERM' })
    expect(child.running()).toBe(false)
  })

  test('ends also where nobody reads what it prints', async () => {
    expect(await within(shell('echo out; echo err >&2').ended, 'the end of sh')).toEqual({ status: 0, signal: null })
  })

  test('reads its input to the end', async () => {
    const child = cat()
    child.stdin.write('one\n')
    child.stdin.end('two\n')
    expect(await text(child.stdout)).toBe('one\ntwo\n')
    expect(await child.ended).toEqual({ status: 0, signal: null })
  })

  test('takes a megabyte and prints it', async () => {
    const child = cat()
    const sent = '0123456789abcdef'.repeat(65_536)
    child.stdin.end(sent)
    expect((await text(child.stdout)) === sent).toBe(true)
    expect(await child.ended).toEqual({ status: 0, signal: null })
  })

  test('may end before it has read its input', async () => {
    const child = shell('exec 0<&-; echo closed; exit 5')
    await once(child.stdout, 'data')
    child.stdin.write('x'.repeat(1_000_000)) // EPIPE
    expect(await within(child.ended, 'the end of sh')).toEqual({ status: 5, signal: null })
  })

  test('has not ended while another process has its output', async () => {
    const file = join(folder(), 'fifo')
    const child = shell(`mkfifo '${file}' && cat '${file}' & until [ -e '${file}' ]; do :; done; exit 7`)
    const printed = text(child.stdout)
    await until(() => !child.running(), 'the end of sh')
    writeFileSync(file, 'the last line\n')
    expect(await Promise.all([child.ended, printed])).toEqual([{ status: 7, signal: null }, 'the last line\n'])
  })

  test('has its arguments and its environment to the letter', async () => {
    const script = 'console.log(JSON.stringify([process.argv.slice(1), process.env]))'
    const args = ['a b', '', `"'$x\\`, 'ü€😀']
    const env = { SPACES: ' a  b ', EMPTY: '', UNICODE: 'ü€😀', EQUALS: 'a=b=c' }
    const child = spawn({
      file: process.execPath,
      args: ['-e', script, '--', ...args],
      env: { ...env, NONE: undefined },
    })
    expect(JSON.parse(await text(child.stdout))).toEqual([args, env])
    expect(await child.ended).toEqual({ status: 0, signal: null })
  })

  test('runs where it is told to', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'program'), '#!/bin/sh\npwd\n', { mode: 0o755 })
    const child = spawn({ file: './program', args: [], cwd })
    expect(await text(child.stdout)).toBe(`${cwd}\n`)
  })

  test('is in the process group and the session of its parent, with no signal ignored or held back', async () => {
    const held = sigset(constants.signals.SIGUSR2)
    sigprocmask(SIG_BLOCK, held)
    const child = spawn({ file: 'cat', args: ['/proc/self/stat', '/proc/self/status'] })
    sigprocmask(SIG_UNBLOCK, held)
    const printed = await text(child.stdout)
    const groups = (stat: string) =>
      stat
        .slice(stat.lastIndexOf(')', stat.indexOf('\n')))
        .split(' ')
        .slice(3, 5)
    expect(groups(printed)).toEqual(groups(readFileSync('/proc/self/stat', 'latin1')))
    expect(printed).toMatch(/^SigBlk:\t0{16}\nSigIgn:\t0{16}$/m)
  })

  test('has no pipe of another child: that one sees the end of its input', async () => {
    const [first, second] = [cat(), cat()]
    first.stdin.end()
    await within(first.ended, 'the end of the first')
    expect(second.running()).toBe(true)
    second.stdin.end()
    await within(second.ended, 'the end of the second')
  })

  test('leaves no descriptor and no listener behind, and neither do fifty at a time', async () => {
    const before = descriptors()
    const children = Array.from({ length: 50 }, (_, i) => shell(`cat >&2; exit ${i}`))
    for (const child of children) child.stdin.end('x')
    const exits = await within(Promise.all(children.map(({ ended }) => ended)), 'the end of fifty children')
    expect(exits).toEqual(children.map((_, status) => ({ status, signal: null })))
    expect(descriptors()).toBe(before)
    expect(process.listenerCount('SIGCHLD')).toBe(0)
    expect(() => waitpid(-1, WNOHANG)).toThrow('ECHILD') // no zombie either
  })

  test('that cannot be started is an error at once, and leaves nothing behind', async () => {
    const before = descriptors()
    const cwd = folder()
    const file = join(cwd, 'file')
    writeFileSync(file, '')
    expect(() => spawn({ file: 'no-such-command', args: [] })).toThrow(/^spawn no-such-command/)
    expect(() => spawn({ file, args: [] })).toThrow(`spawn ${file}`)
    expect(() => spawn({ file: 'true', args: [], cwd: join(cwd, 'none') })).toThrow(join(cwd, 'none'))
    expect(() => spawn({ file: 'true', args: [], cwd: file })).toThrow('ENOTDIR')
    expect(() => spawn({ file: 'true', args: ['a\0b'] })).toThrow('a\\')
    await until(() => descriptors() === before, 'the pipes to be closed')
  })

  test('is not sent a signal once its end was noticed', async () => {
    const child = shell('exit 0')
    await child.ended
    child.kill('SIGKILL') // ESRCH, or another's end
    expect(await child.ended).toEqual({ status: 0, signal: null })
  })
})

describe('posix_spawn', () => {
  test('says what has failed', () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    const message = (command: { file: string; cwd?: string }): string => {
      try {
        return `it runs: ${posixSpawn({ args: [], ...command }).pid}`
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message({ file: 'no-such-command' })).toBe('spawn no-such-command ENOENT: no such file or directory')
    expect(message({ file: 'no-such-command', cwd: '/' })).toBe(
      'spawn no-such-command ENOENT: no such file or directory',
    )
    expect(message({ file })).toBe(`spawn ${file} EACCES: permission denied`)
    expect(message({ file: 'true', cwd: '/none' })).toBe('chdir /none ENOENT: no such file or directory')
    expect(message({ file: 'true', cwd: file })).toBe(`chdir ${file} ENOTDIR: not a directory`)
    expect(process.listenerCount('SIGCHLD')).toBe(0)
  })

  test('without descriptors is EMFILE, and takes none', () => {
    const before = descriptors()
    const { soft, hard } = getrlimit(RLIMIT_NOFILE)
    const free = Array.from({ length: 1000 }, (_, fd) => fd).filter((fd) => !existsSync(`/proc/self/fd/${fd}`))
    setrlimit(RLIMIT_NOFILE, { soft: free[5]!, hard }) // it needs six
    try {
      for (let i = 0; i < 3; i++) expect(code(() => posixSpawn({ file: 'true', args: [] }))).toBe('EMFILE')
    } finally {
      setrlimit(RLIMIT_NOFILE, { soft, hard })
    }
    expect(descriptors()).toBe(before)
  })

  test('and node:child_process each wait for their own children', async () => {
    const ours = Array.from({ length: 10 }, (_, i) => posixSpawn({ file: 'sh', args: ['-c', `exit ${i}`] }))
    const theirs = Array.from({ length: 10 }, (_, i) => spawnByNode('sh', ['-c', `exit ${100 + i}`]))
    const ends = theirs.map(async (child) => (await once(child, 'close')) as unknown[])
    expect((await Promise.all(ours.map(({ ended }) => ended))).map(({ status }) => status)).toEqual(
      ours.map((_, i) => i),
    )
    expect((await Promise.all(ends)).map(([status]) => status)).toEqual(theirs.map((_, i) => 100 + i))
  })

  test('keeps a program going until the end of its child is known, and no longer', async () => {
    const url = JSON.stringify(new URL('../support/spawn.ts', import.meta.url).href)
    const text = `const { spawn } = await import(${url})
      const child = spawn({ file: 'sh', args: ['-c', 'exec >&- 2>&-; sleep 0.1; exit 4'] })
      child.stdin.end()
      console.log(await child.ended)`
    const { stdout, stderr } = await runToEnd(process.execPath, ['--input-type=module', '-e', text])
    expect(stdout + stderr).toBe('{ status: 4, signal: null }\n')
  })

  test('an end that came long ago is told like any other, and nothing printed is lost', async () => {
    const child = posixSpawn({ file: 'echo', args: ['early'] })
    waitUntil(() => stateOf(child.pid) === 'Z') // and this process has been sent SIGCHLD
    expect(child.running()).toBe(true)
    expect(await Promise.all([text(child.stdout), child.ended])).toEqual(['early\n', { status: 0, signal: null }])
  })

  test('an end that somebody else has waited for is an error', async () => {
    const child = posixSpawn({ file: 'cat', args: [] })
    child.kill('SIGTERM')
    waitpid(child.pid, 0)
    await expect(child.ended).rejects.toThrow('waitpid ECHILD: no child processes')
  })
})

test('runToEnd', async () => {
  const cwd = folder()
  const env = { ...process.env, NAME: 'value' }
  const outcome = await runToEnd('sh', ['-c', 'cat; pwd; echo $NAME >&2; exit 2'], { cwd, env, input: 'in\n' })
  expect(outcome).toEqual({ status: 2, signal: null, stdout: `in\n${cwd}\n`, stderr: 'value\n' })
  await expect(runToEnd('no-such-command', [])).rejects.toThrow('spawn no-such-command ENOENT')
  await expect(runToEnd('sleep', ['10'], { limit: 1 })).rejects.toThrow('waited 1 ms for the end of sleep 10')
  await until(() => process.listenerCount('SIGCHLD') === 0, 'the end of sleep')
})
