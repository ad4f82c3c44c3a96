import { closeSync, openSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  io_destroy,
  io_getevents,
  io_setup,
  io_submit,
  iocb_pread,
  mmap,
  send,
} from '#posix'
import { NOT_OPEN, closeAfterEach, code, connected, failure, until } from './sockets.ts'

closeAfterEach()

const memory = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

describe('the kernel’s own aio', () => {
  let context: bigint

  beforeEach(() => {
    context = io_setup(4)
  })

  afterEach(() => io_destroy(context))

  test('reads from an offset in a file', () => {
    const fd = openSync(import.meta.filename, 'r')
    expect(io_submit(context, iocb_pread(fd, memory, 6, 0, 1))).toBe(1)
    expect(io_getevents(context, 1, 4)).toEqual([{ data: 1, result: 6 }])
    expect(memory.bytes.toString('latin1', 0, 6)).toBe('import')
    io_submit(context, iocb_pread(fd, memory, 4, 2, 2))
    io_submit(context, iocb_pread(fd, memory, 64, 1_000_000, 3))
    const events = io_getevents(context, 2, 4)
    expect(new Map(events.map(({ data, result }) => [data, result]))).toEqual(
      new Map([
        [2, 4],
        [3, 0],
      ]),
    )
    expect(memory.bytes.toString('latin1', 0, 4)).toBe('port')
    closeSync(fd)
  })

  test('has received by the time io_submit returns', () => {
    const { clientFd, connFd } = connected()
    send(clientFd, Buffer.from('hello'), 5, 0)
    until(connFd, POLLIN)
    io_submit(context, iocb_pread(connFd, memory, 64, 0, 1))
    expect(memory.bytes.toString('latin1', 0, 5)).toBe('hello')
    expect(io_getevents(context, 0, 4)).toEqual([{ data: 1, result: 5 }])
    expect(io_getevents(context, 0, 4)).toEqual([])
  })

  test('EBADF, EINVAL, RangeError', () => {
    expect(failure(() => io_submit(context, iocb_pread(NOT_OPEN, memory, 64, 0, 1)))).toMatchObject({
      message: 'io_submit EBADF: bad file descriptor',
      syscall: 'io_submit',
    })
    expect(code(() => io_setup(0))).toBe('EINVAL')
    expect(code(() => io_destroy(1n))).toBe('EINVAL')
    expect(code(() => io_submit(1n, iocb_pread(0, memory, 64, 0, 1)))).toBe('EINVAL')
    expect(code(() => io_getevents(context, 2, 1))).toBe('EINVAL')
    expect(() => io_submit(context, Buffer.alloc(63))).toThrow('io_submit: an iocb has 64 bytes')
    for (const len of [4097, -1, Number.NaN]) expect(() => iocb_pread(0, memory, len, 0, 1)).toThrow(RangeError)
  })
})
