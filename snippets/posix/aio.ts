// The kernel's older asynchronous input and output (Linux 2.6), made for files that are opened with
// O_DIRECT. It is here to show that it is of no use for sockets (servers/io-models). glibc's
// aio_read is a third thing: it makes threads that block. aio(7)

import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './constants.ts'
import { systemError } from './errors.ts'
import { type Mapping, mmap } from './memory.ts'
import { lastErrno, libc } from './platform.ts'

// glibc has no functions for them, and each machine its own numbers. asm/unistd.h
const SYS =
  process.arch === 'arm64'
    ? { io_setup: 0, io_destroy: 1, io_submit: 2, io_getevents: 4 }
    : { io_setup: 206, io_destroy: 207, io_getevents: 208, io_submit: 209 }
const calls = {
  io_setup: libc.func('int64_t syscall(int64_t, uint32_t, void *)'),
  io_destroy: libc.func('int64_t syscall(int64_t, uint64_t)'),
  io_submit: libc.func('int64_t syscall(int64_t, uint64_t, int64_t, uint64_t)'),
  io_getevents: libc.func('int64_t syscall(int64_t, uint64_t, int64_t, int64_t, void *, void *)'),
}

function check(result: number, syscall: string): number {
  if (result < 0) throw systemError(syscall, -lastErrno())
  return result
}

/**
 * Makes a context for requests, and returns its handle.
 * @param events for so many at a time
 * @throws EAGAIN (fs.aio-max-nr), EINVAL, ENOMEM, ENOSYS (built without). io_setup(2)
 */
export function io_setup(events: number): bigint {
  const context = new BigUint64Array(1)
  check(calls.io_setup(SYS.io_setup, events, context) as number, 'io_setup')
  return context[0]!
}

/** Ends a context, and waits for its requests. Throws EINVAL (no such context). io_destroy(2) */
export function io_destroy(context: bigint): void {
  check(calls.io_destroy(SYS.io_destroy, context) as number, 'io_destroy')
}

/**
 * struct iocb, 64 bytes: a request to read.
 * @param memory where the bytes are to go: it has to stay mapped until the request is done
 * @param data a number of ours, by which we know the result again
 */
export function iocb_pread(
  fd: number,
  memory: Mapping,
  len: number,
  offset: number,
  data: number,
): Buffer {
  if (!(len >= 0 && len <= memory.bytes.byteLength)) {
    throw new RangeError(`pread: len is ${len}, the memory has ${memory.bytes.byteLength} bytes`)
  }
  const iocb = Buffer.alloc(64) // lio_opcode, at 16, is 0: IOCB_CMD_PREAD. linux/aio_abi.h
  iocb.writeBigUInt64LE(BigInt(data), 0)
  iocb.writeInt32LE(fd, 20)
  iocb.writeBigUInt64LE(memory.address, 24)
  iocb.writeBigUInt64LE(BigInt(len), 32)
  iocb.writeBigInt64LE(BigInt(offset), 40)
  return iocb
}

// io_submit takes a list of addresses, so what stands there has to have one.
let page: Mapping | undefined

/**
 * Hands a request to the kernel, and returns how many it has taken: 1.
 * @throws EINVAL (no such context, or not a request), EBADF, EAGAIN (the context is full).
 * io_submit(2)
 */
export function io_submit(context: bigint, iocb: Uint8Array): number {
  if (iocb.byteLength !== 64) throw new RangeError('io_submit: an iocb has 64 bytes')
  page ??= mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  page.bytes.set(iocb, 0)
  page.bytes.writeBigUInt64LE(page.address, 64)
  const list = page.address + 64n
  return check(calls.io_submit(SYS.io_submit, context, 1, list) as number, 'io_submit')
}

/** What has become of a request: what its call would have returned, or a negative errno. */
export interface IoEvent {
  data: number
  result: number
}

/**
 * Waits until there are results, and takes them.
 * @param min how many there have to be at least
 * @param count how many to take at the most
 * @throws EINTR (a signal came), EINVAL (no such context, or `min` above `count`). io_getevents(2)
 */
export function io_getevents(context: bigint, min: number, count: number): IoEvent[] {
  const words = new BigInt64Array(4 * count) // struct io_event: data, obj, res, res2
  const { io_getevents } = calls
  const taken = io_getevents(SYS.io_getevents, context, min, count, words, null) as number
  const places = [...Array(check(taken, 'io_getevents')).keys()]
  return places.map((i) => ({ data: Number(words[4 * i]), result: Number(words[4 * i + 2]) }))
}
