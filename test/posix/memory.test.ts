import { closeSync, openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap } from '#posix'
import { NOT_OPEN, code, failure, run } from './sockets.ts'

const PAGE = 4096

describe('mmap', () => {
  test('gives zeros, to write over, at an address of their own', () => {
    const [one, other] = [0, 1].map(() => mmap(null, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    expect(one!.bytes.equals(Buffer.alloc(PAGE))).toBe(true)
    one!.bytes.write('hello')
    expect(other!.bytes.equals(Buffer.alloc(PAGE))).toBe(true)
    expect(one!.address).not.toBe(other!.address)
    expect(one!.address % BigInt(PAGE)).toBe(0n)
    for (const mapping of [one!, other!]) munmap(mapping)
  })

  test('maps a file', () => {
    const fd = openSync(import.meta.filename, 'r')
    const mapping = mmap(null, 6, PROT_READ, MAP_SHARED, fd, 0)
    closeSync(fd) // the pages stay
    expect(mapping.bytes.toString()).toBe('import')
    munmap(mapping)
  })

  test('EINVAL: no length', () => {
    expect(failure(() => mmap(null, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))).toMatchObject({
      message: 'mmap EINVAL: invalid argument',
      syscall: 'mmap',
    })
  })

  test('EBADF, EACCES, ENODEV, ENOMEM', () => {
    expect(code(() => mmap(null, PAGE, PROT_READ, MAP_PRIVATE, NOT_OPEN, 0))).toBe('EBADF')
    const fd = openSync(import.meta.filename, 'r')
    expect(code(() => mmap(null, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0))).toBe('EACCES')
    closeSync(fd)
    const folder = openSync(import.meta.dirname, 'r')
    expect(code(() => mmap(null, PAGE, PROT_READ, MAP_PRIVATE, folder, 0))).toBe('ENODEV')
    closeSync(folder)
    expect(code(() => mmap(null, 2 ** 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))).toBe('ENOMEM')
  })
})

describe('munmap', () => {
  test('leaves no bytes, and may be repeated', () => {
    const mapping = mmap(null, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    munmap(mapping)
    expect(mapping.bytes.length).toBe(0)
    munmap(mapping)
  })

  test('a look at what has been unmapped ends the process', async () => {
    const text = `
      import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, mmap, munmap } from '#posix'
      const mapping = mmap(null, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      const before = mapping.bytes
      munmap(mapping)
      console.log(before[0])`
    const { signal, stdout } = await run(process.execPath, '--input-type=module', '-e', text)
    expect({ signal, stdout }).toEqual({ signal: 'SIGSEGV', stdout: '' })
  })
})
