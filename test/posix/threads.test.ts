import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { gettid } from '#posix'
import { type Outcome, runToEnd } from '../support/spawn.ts'

/** Runs a program that starts itself as a thread. */
function run(...args: string[]): Promise<Outcome> {
  return runToEnd(process.execPath, [join(import.meta.dirname, 'programs', 'thread.ts'), ...args])
}

describe('a thread', () => {
  test('runs the file it was given, with a copy of what it was given, and may close what another thread has opened', async () => {
    const stdout = 'copied: true\nshared: true\nclosed: true\nexit 0\n'
    expect(await run('serves')).toEqual({ status: 0, signal: null, stdout, stderr: '' })
  })

  test('that cannot be started says why', async () => {
    const stdout = 'ERR_WORKER_INIT_FAILED Worker initialization failure: EMFILE\nexit 0\n'
    expect(await run('without-descriptors')).toEqual({ status: 0, signal: null, stdout, stderr: '' })
  })

  test('that throws passes its error on, and ends with status 1', async () => {
    expect(await run('throws')).toEqual({ status: 0, signal: null, stdout: 'a mistake\nexit 1\n', stderr: '' })
  })
})

test('koffi keeps its memory of a thread that has made a call and has ended: short threads are better off without', async () => {
  const program = `
    import { once } from 'node:events'
    import { readFileSync } from 'node:fs'
    import { Worker } from 'node:worker_threads'
    const maps = () => readFileSync('/proc/self/maps', 'latin1').split('\\n').length
    const growth = async (code) => {
      let before = 0
      for (let i = 0; i < 12; i++) {
        if (i === 4) before = maps() // what the first ones leave is used again
        await once(new Worker(code, { eval: true, execArgv: [] }), 'exit')
      }
      return (maps() - before) / 8
    }
    const call = "require('koffi').load('libc.so.6').func('int getpid()')()"
    console.log((await growth('')) < 1, (await growth(call)) >= 2)`
  const command = ['--input-type=module', '-e', program]
  const { stdout, stderr } = await runToEnd(process.execPath, command, { cwd: import.meta.dirname })
  expect(stdout + stderr).toBe('true true\n')
})

test('_exit ends the whole process, from any thread', async () => {
  expect(await run('leaves')).toEqual({ status: 7, signal: null, stdout: '', stderr: '' })
})

test('gettid is the id that the kernel has for the thread', () => {
  expect(readFileSync('/proc/thread-self/status', 'latin1')).toMatch(new RegExp(`^Pid:\\t${gettid()}$`, 'm'))
})
