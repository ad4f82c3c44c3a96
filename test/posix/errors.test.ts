import { once } from 'node:events'
import { connect as netConnect, createServer } from 'node:net'
import { constants } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import * as posix from '#posix'
import { EBADF, ENOTCONN, bind, check, connect, endpoint, sockaddr, sockaddr_un, systemError, tryRecv } from '#posix'
import { within } from '../support/within.ts'
import { bound, closeAfterEach, failure, listening, own, program, stream } from './sockets.ts'

closeAfterEach()

type Fields = Record<'message' | 'code' | 'errno' | 'syscall' | 'address' | 'port', unknown>

/** What a program can see of an error. */
function fields(error: unknown): Fields {
  const { message, code, errno, syscall, address, port } = error as Fields
  return { message, code, errno, syscall, address, port }
}

describe('as Node says it', () => {
  test('a taken port: the same message, with the name of the call that failed', async () => {
    const addr = own(listening())
    const { address, port } = endpoint(addr)
    const server = createServer().listen(port, address)
    const [error] = (await within(once(server, 'error'), 'the error of listen')) as [Error]
    const ofNode = fields(error)
    // libuv binds and listens in one go, and Node calls both listen.
    expect(ofNode.syscall).toBe('listen')
    expect(fields(failure(() => bind(stream(), addr)))).toEqual({
      ...ofNode,
      message: error.message.replace(/^listen /, 'bind '),
      syscall: 'bind',
    })
  })

  test('nobody listens: the same, and the text of the error, which node:net leaves out here', async () => {
    const addr = own(bound(stream()))
    const { address, port } = endpoint(addr)
    const socket = netConnect(port!, address)
    const [error] = (await within(once(socket, 'error'), 'the error of connect')) as [Error]
    const ofNode = fields(error)
    expect(error.message).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`)
    expect(fields(failure(() => connect(stream(), addr)))).toEqual({
      ...ofNode,
      message: error.message.replace('ECONNREFUSED', 'ECONNREFUSED: connection refused'),
    })
  })
})

describe('systemError', () => {
  test('code, negative errno, syscall, address and port', () => {
    const error = systemError('bind', -constants.errno.EACCES, sockaddr('127.0.0.1', 80))
    expect(error).toBeInstanceOf(Error)
    expect(fields(error)).toEqual({
      message: 'bind EACCES: permission denied 127.0.0.1:80',
      code: 'EACCES',
      errno: -13,
      syscall: 'bind',
      address: '127.0.0.1',
      port: 80,
    })
  })

  test('an IPv6 address stands in brackets in the message only', () => {
    const error = systemError('bind', -constants.errno.EACCES, sockaddr('::1', 80))
    expect(error.message).toBe('bind EACCES: permission denied [::1]:80')
    expect(error.address).toBe('::1')
  })

  test('a path has no port; a call without an address has neither', () => {
    expect(systemError('bind', -constants.errno.EACCES, sockaddr_un('/x'))).not.toHaveProperty('port')
    const error = systemError('recv', -constants.errno.EAGAIN)
    expect(Object.keys(error).toSorted()).toEqual(['code', 'errno', 'syscall'])
  })

  test('EAGAIN and EOPNOTSUPP go by these of their two names', () => {
    expect(systemError('recv', -constants.errno.EWOULDBLOCK).code).toBe('EAGAIN')
    expect(systemError('listen', -constants.errno.ENOTSUP).message).toBe(
      'listen EOPNOTSUPP: operation not supported on socket',
    )
  })

  test('what libuv does not know, libc does; what nobody knows is a number', () => {
    expect(systemError('waitpid', -constants.errno.ECHILD).message).toBe('waitpid ECHILD: no child processes')
    expect(systemError('x', -9999)).toMatchObject({ code: 'errno 9999', message: 'x errno 9999: unknown error 9999' })
  })

  test('an address of an unknown family, or cut short, does not hide the error', () => {
    const netlink = Buffer.alloc(12)
    netlink.writeUInt16LE(posix.AF_NETLINK)
    for (const addr of [netlink, Buffer.alloc(0), sockaddr('::1', 80).subarray(0, 9)]) {
      expect(systemError('bind', -constants.errno.EINVAL, addr).message).toBe('bind EINVAL: invalid argument')
    }
  })
})

test('check passes on what did not fail', () => {
  expect(check(7, 'read')).toBe(7)
  expect(check(0, 'read')).toBe(0)
})

test('the error numbers are those of the machine', () => {
  const numbers = Object.entries(posix).filter(([name]) => /^E(?!POLL)[A-Z0-9]+$/.test(name))
  expect(numbers.length).toBeGreaterThan(20)
  const expected = new Map(Object.entries(constants.errno))
  for (const [name, number] of numbers) expect(number, name).toBe(expected.get(name))
})

test("each worker has its own errno: two fail at once, neither sees the other's", async () => {
  const gate = new SharedArrayBuffer(4)
  const answers = (['EBADF', 'ENOTCONN'] as const).map(async (which) => {
    const worker = new Worker(program('errno-worker.ts'), { workerData: { gate, which } })
    const ended = once(worker, 'exit')
    const [answer] = await within(once(worker, 'message'), `the worker with ${which}`)
    await within(ended, `the end of the worker with ${which}`)
    return answer as unknown
  })
  expect(tryRecv(-1, Buffer.alloc(1), 1, 0)).toBe(-EBADF)
  expect(await Promise.all(answers)).toEqual([
    { expected: -EBADF, wrong: 0 },
    { expected: -ENOTCONN, wrong: 0 },
  ])
})
