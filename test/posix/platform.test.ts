import { describe, expect, test } from 'vitest'
import { epoll_events } from '#posix'
import { run } from './sockets.ts'

/** Runs a module in a process that takes itself for another machine, from before its first import. */
function on(machine: { platform?: string; arch?: string }, source: string) {
  const lies = Object.entries(machine).map(
    ([name, value]) => `Object.defineProperty(process, '${name}', { value: '${value}' })`,
  )
  const preload = `data:text/javascript,${encodeURIComponent(lies.join('\n'))}`
  return run(process.execPath, '--import', preload, '--input-type=module', '--eval', source)
}

describe('on a machine that posix/ does not know', () => {
  test.each([
    [{ platform: 'darwin', arch: 'arm64' }, 'darwin on arm64'],
    [{ platform: 'win32', arch: 'x64' }, 'win32 on x64'],
    [{ arch: 'riscv64' }, 'linux on riscv64'],
  ])('%j: one line, status 1', async (machine, name) => {
    const outcome = await on(machine, `import '#posix'\nconsole.log('never')`)
    expect(outcome).toEqual({
      status: 1,
      signal: null,
      stdout: '',
      stderr:
        'posix/ knows the structures and constants of Linux on x64 and arm64; ' +
        `this is ${name}. Programs that import '#posix' run on Linux ` +
        '(a container or a virtual machine will do); those on node: modules run here too.\n',
    })
  })
})

describe('struct epoll_event', () => {
  test('here', () => {
    expect(epoll_events(1).words.byteLength).toBe(process.arch === 'x64' ? 12 : 16)
  })

  // The layout only: the process says that it is the other machine, and calls nothing.
  test.each([
    ['x64', 12, 4],
    ['arm64', 16, 8],
  ])('the layout chosen for %s: %d bytes, the descriptor at byte %d', async (arch, size, offset) => {
    const source = `
      await import('koffi') // the one of this machine, before the lie
      Object.defineProperty(process, 'arch', { value: '${arch}' })
      const { epoll_events } = await import('#posix')
      const events = epoll_events(2)
      events.words[(${size} + ${offset}) / 4] = 77
      console.log(events.words.byteLength, events.fd(0), events.fd(1))`
    const { status, stdout, stderr } = await run(process.execPath, '--input-type=module', '--eval', source)
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${2 * size} 0 77\n`, stderr: '' })
  })
})
