import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  EAGAIN,
  EBADF,
  ENOTSOCK,
  IORING_ENTER_GETEVENTS,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MSG_DONTWAIT,
  type Mapping,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  type Ring,
  SHUT_WR,
  io_uring_enter,
  io_uring_params,
  io_uring_peek_cqe,
  io_uring_prep_recv,
  io_uring_queue_exit,
  io_uring_queue_init,
  io_uring_setup,
  mmap,
  munmap,
  send,
  shutdown,
} from '#posix'
import { placeOrSkip } from '../support/namespace.ts'
import { NOT_OPEN, closeAfterEach, code, connected, descriptors, failure, run, until } from './sockets.ts'

closeAfterEach()

const may = placeOrSkip('with io_uring') !== undefined

/** Waits until there are so many results, and takes them. */
function taken(ring: Ring, count: number) {
  io_uring_enter(ring.fd, 0, count, IORING_ENTER_GETEVENTS)
  return Array.from({ length: count }, () => io_uring_peek_cqe(ring))
}

describe.skipIf(!may)('io_uring', () => {
  let ring: Ring
  let memory: Mapping

  beforeEach(() => {
    ring = io_uring_queue_init(4)
    memory = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  })

  afterEach(() => {
    if (ring.mappings.length > 0) io_uring_queue_exit(ring)
  })

  test('receives what comes after the request, without a further call', () => {
    const { clientFd, connFd } = connected()
    io_uring_prep_recv(ring, connFd, memory, 64, 0, 42)
    expect(io_uring_peek_cqe(ring)).toBeUndefined()
    expect(io_uring_enter(ring.fd, 1, 0, 0)).toBe(1)
    expect(io_uring_peek_cqe(ring)).toBeUndefined()
    expect(memory.bytes[0]).toBe(0)
    send(clientFd, Buffer.from('hello'), 5, 0)
    let completion
    while (completion === undefined) completion = io_uring_peek_cqe(ring)
    expect(completion).toEqual({ userData: 42, result: 5 })
    expect(memory.bytes.toString('latin1', 0, 6)).toBe('hello\0')
    expect(io_uring_peek_cqe(ring)).toBeUndefined()
  })

  test('receives what is there at once', () => {
    const { clientFd, connFd } = connected()
    send(clientFd, Buffer.from('hello'), 5, 0)
    until(connFd, POLLIN)
    io_uring_prep_recv(ring, connFd, memory, 2, 0, 1)
    io_uring_prep_recv(ring, connFd, memory, 64, 0, 2)
    expect(io_uring_enter(ring.fd, 2, 2, IORING_ENTER_GETEVENTS)).toBe(2)
    expect([io_uring_peek_cqe(ring), io_uring_peek_cqe(ring)]).toEqual([
      { userData: 1, result: 2 },
      { userData: 2, result: 3 },
    ])
    expect(memory.bytes.toString('latin1', 0, 3)).toBe('llo')
  })

  test('0 is the end of the stream, and a failure a negative errno', () => {
    const { clientFd, connFd } = connected()
    shutdown(clientFd, SHUT_WR)
    io_uring_prep_recv(ring, connFd, memory, 64, 0, 1)
    io_uring_prep_recv(ring, NOT_OPEN, memory, 64, 0, 2)
    io_uring_prep_recv(ring, ring.fd, memory, 64, 0, 3)
    io_uring_prep_recv(ring, clientFd, memory, 64, MSG_DONTWAIT, 4)
    let submitted = 0
    while (submitted < 4) submitted += io_uring_enter(ring.fd, 4 - submitted, 0, 0) // it stops at a failure
    const results = new Map(taken(ring, 4).map((completion) => [completion!.userData, completion!.result]))
    expect(results).toEqual(
      new Map([
        [1, 0],
        [2, -EBADF],
        [3, -ENOTSOCK],
        [4, -EAGAIN],
      ]),
    )
  })

  test('goes round its places many times', () => {
    const { clientFd, connFd } = connected()
    for (let round = 0; round < 50; round++) {
      const text = `message ${round}`
      send(clientFd, Buffer.from(text), text.length, 0)
      until(connFd, POLLIN)
      io_uring_prep_recv(ring, connFd, memory, 64, 0, round)
      io_uring_enter(ring.fd, 1, 1, IORING_ENTER_GETEVENTS)
      expect(io_uring_peek_cqe(ring)).toEqual({ userData: round, result: text.length })
      expect(memory.bytes.toString('latin1', 0, text.length)).toBe(text)
    }
  })

  test('RangeError: a queue that is full, more bytes than there is memory, a ring that is closed', () => {
    const { connFd } = connected()
    for (let i = 0; i < 4; i++) io_uring_prep_recv(ring, connFd, memory, 64, 0, i)
    expect(() => io_uring_prep_recv(ring, connFd, memory, 64, 0, 4)).toThrow('the queue of requests is full')
    for (const len of [4097, -1, Number.NaN]) {
      expect(() => io_uring_prep_recv(ring, connFd, memory, len, 0, 0)).toThrow(
        `recv: len is ${len}, the memory has 4096 bytes`,
      )
    }
    io_uring_queue_exit(ring)
    expect(() => io_uring_prep_recv(ring, connFd, memory, 64, 0, 0)).toThrow('the ring is closed')
    expect(() => io_uring_peek_cqe(ring)).toThrow('the ring is closed')
    expect(() => io_uring_queue_exit(ring)).toThrow('the ring is closed')
    munmap(memory)
  })

  test('leaves no descriptor', () => {
    const before = descriptors()
    for (let i = 0; i < 3; i++) io_uring_queue_exit(io_uring_queue_init(8))
    expect(descriptors()).toBe(before)
  })

  test('io_uring_setup rounds up, and says so', () => {
    const params = io_uring_params()
    const other = io_uring_queue_init(1)
    io_uring_queue_exit(other)
    const fd = io_uring_setup(5, params)
    expect([params[0], params[1]]).toEqual([8, 16])
    io_uring_queue_exit({ ...ring, fd, mappings: [memory] })
  })

  test('EINVAL, EBADF, EOPNOTSUPP, RangeError', () => {
    expect(code(() => io_uring_setup(0, io_uring_params()))).toBe('EINVAL')
    expect(() => io_uring_setup(1, new Uint32Array(29))).toThrow(RangeError)
    expect(failure(() => io_uring_enter(NOT_OPEN, 1, 0, 0))).toMatchObject({
      message: 'io_uring_enter EBADF: bad file descriptor',
      syscall: 'io_uring_enter',
    })
    expect(code(() => io_uring_enter(connected().connFd, 1, 0, 0))).toBe('EOPNOTSUPP')
  })
})

describe('where the kernel forbids io_uring', () => {
  const wrapper = join(import.meta.dirname, '..', 'support', 'without-call.ts')
  const IO_URING_SETUP = '425'
  const text = `
    import { io_uring_queue_init } from '#posix'
    try { io_uring_queue_init(8) } catch (error) { console.log(error.message, error.errno) }`

  test.each([
    ['EPERM', 'operation not permitted -1'],
    ['ENOSYS', 'function not implemented -38'],
  ])('%s', async (errno, message) => {
    const command = [process.execPath, '--input-type=module', '-e', text]
    const { stdout } = await run(process.execPath, wrapper, IO_URING_SETUP, errno, ...command)
    expect(stdout).toBe(`io_uring_setup ${errno}: ${message}\n`)
  })
})
