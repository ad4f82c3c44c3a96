import { spawnSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { if_indextoname, if_nametoindex, setInterfaceMtu } from '#posix'
import { placeOrSkip } from '../support/namespace.ts'
import { runToEnd } from '../support/spawn.ts'
import { code, failure, program, results } from './sockets.ts'

describe('interfaces', () => {
  test('have numbers and names', () => {
    const [name] = Object.keys(networkInterfaces())
    expect(if_indextoname(if_nametoindex(name!))).toBe(name)
  })

  test('ENODEV and ENXIO: there is none', () => {
    expect(failure(() => if_nametoindex('nosuch0')).message).toBe('if_nametoindex ENODEV: no such device')
    expect(failure(() => if_indextoname(2 ** 31 - 1)).message).toBe('if_indextoname ENXIO: no such device or address')
    expect(code(() => setInterfaceMtu('nosuch0', 1500))).toMatch(/^ENODEV|EPERM$/)
    expect(() => setInterfaceMtu('a-name-that-is-too-long', 1500)).toThrow(RangeError)
  })
})

describe('networks', () => {
  const place = placeOrSkip('in a network namespace')
  test.skipIf(place === undefined)('two of them, and a cable between', async () => {
    const [command, ...args] = [...place!.prefix, process.execPath, program('two-networks.ts')]
    expect(await results(command!, ...args)).toEqual({
      interfaces: [['lo'], ['eth0', 'lo'], ['eth0', 'lo']],
      home: true,
      mtu: 1400,
      received: 'through the cable',
      again: 'RTM_NEWLINK EEXIST: file already exists',
    })
  })

  const drop = ['setpriv', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'] // as the user who may read the project
  const droppable = process.getuid?.() !== 0 || spawnSync(drop[0]!, [...drop.slice(1), 'true']).status === 0
  test.skipIf(!droppable)('EPERM: not without CAP_SYS_ADMIN', async () => {
    const text = `import { network } from '#posix'
      try { network() } catch (error) { console.log(error.message) }`
    const dropped = process.getuid?.() === 0 ? drop : []
    const [command, ...args] = [...dropped, process.execPath, '--input-type=module', '-e', text]
    const { stdout, stderr } = await runToEnd(command!, args, { cwd: import.meta.dirname })
    expect(stdout + stderr).toBe('unshare EPERM: operation not permitted\n')
  })
})
