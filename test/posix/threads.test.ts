import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { gettid } from '#posix'

/** Runs a program that starts itself as a thread. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const file = join(import.meta.dirname, 'programs', 'thread.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('a thread', () => {
  test('runs the file it was given, with a copy of what it was given, and may close what another thread has opened', () => {
    const stdout = 'copied: true\nshared: true\nclosed: true\nexit 0\n'
    expect(run('serves')).toEqual({ status: 0, stdout, stderr: '' })
  })

  test('that cannot be started says why', () => {
    const stdout = 'ERR_WORKER_INIT_FAILED Worker initialization failure: EMFILE\nexit 0\n'
    expect(run('without-descriptors')).toEqual({ status: 0, stdout, stderr: '' })
  })

  test('that throws passes its error on, and ends with status 1', () => {
    expect(run('throws')).toEqual({ status: 0, stdout: 'a mistake\nexit 1\n', stderr: '' })
  })
})

test('koffi keeps its memory of a thread that has made a call and has ended: short threads are better off without', () => {
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
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  expect(stdout + stderr).toBe('true true\n')
})

test('_exit ends the whole process, from any thread', () => {
  expect(run('leaves')).toEqual({ status: 7, stdout: '', stderr: '' })
})

test('gettid is the id that the kernel has for the thread', () => {
  expect(readFileSync('/proc/thread-self/status', 'latin1')).toMatch(new RegExp(`^Pid:\\t${gettid()}$`, 'm'))
})
