// io_uring: two queues in memory that this process shares with the kernel. We put requests into the
// one; when a request is done, its result is in the other. io_uring_setup and io_uring_enter are
// the kernel's calls. What is done in memory alone has the name that liburing gives it. io_uring(7)

import { close } from './calls.ts'
import { MAP_POPULATE, MAP_SHARED, PROT_READ, PROT_WRITE } from './constants.ts'
import { systemError } from './errors.ts'
import { type Mapping, mmap, munmap } from './memory.ts'
import { lastErrno, libc } from './platform.ts'

// glibc has no functions for them. Their numbers are the same on x86-64 and arm64.
const calls = {
  io_uring_setup: libc.func('int64_t syscall(int64_t, uint32_t, void *)'),
  io_uring_enter: libc.func(
    'int64_t syscall(int64_t, int, uint32_t, uint32_t, uint32_t, void *, uint64_t)',
  ),
}
const SYS_io_uring_setup = 425
const SYS_io_uring_enter = 426

/** Room for struct io_uring_params, 120 bytes, in words of 32 bits. */
export function io_uring_params(): Uint32Array {
  return new Uint32Array(30)
}

/**
 * Makes the two queues and returns a descriptor for them; `params` then tells where in its memory
 * everything is.
 * @param entries room for so many requests, at least
 * @throws ENOSYS (Linux before 5.1, or built without), EPERM (sysctl kernel.io_uring_disabled, or a
 * container that forbids it), EINVAL (no entries, or too many), ENOMEM, EMFILE. io_uring_setup(2)
 */
export function io_uring_setup(entries: number, params: Uint32Array): number {
  if (params.byteLength < 120) throw new RangeError('io_uring_setup: io_uring_params has 120 bytes')
  const fd = calls.io_uring_setup(SYS_io_uring_setup, entries, params) as number
  if (fd < 0) throw systemError('io_uring_setup', -lastErrno())
  return fd
}

/**
 * Hands requests to the kernel, and waits for results if asked to.
 * @param toSubmit how many requests
 * @param minComplete with IORING_ENTER_GETEVENTS: waits until there are so many results
 * @returns how many requests the kernel has taken
 * @throws EINTR (a signal came while it waited), EAGAIN (no memory), EBUSY (the results of others
 * have to be taken first), EBADF, EOPNOTSUPP (not a descriptor of io_uring). io_uring_enter(2)
 */
export function io_uring_enter(
  fd: number,
  toSubmit: number,
  minComplete: number,
  flags: number,
): number {
  const taken = calls.io_uring_enter(SYS_io_uring_enter, fd, toSubmit, minComplete, flags, null, 0)
  if ((taken as number) < 0) throw systemError('io_uring_enter', -lastErrno())
  return taken as number
}

// linux/io_uring.h
const IORING_OFF_SQ_RING = 0
const IORING_OFF_CQ_RING = 0x8000000
const IORING_OFF_SQES = 0x10000000
const IORING_OP_RECV = 27
const SQE_SIZE = 64
const CQE_SIZE = 16

/** A queue in shared memory: a ring of places, of which those from head to tail are in use. */
interface Queue {
  /** The memory, in words of 32 bits. */
  readonly words: Int32Array
  /** Which word holds the head, and which the tail. Both only grow, modulo 2^32. */
  readonly head: number
  readonly tail: number
  /** What makes a place of them. */
  readonly mask: number
}

/** The two queues of one io_uring_setup, as they lie in our memory. */
export interface Ring {
  readonly fd: number
  /** What is mapped; empty once the ring is closed. */
  readonly mappings: Mapping[]
  readonly requests: Queue & { readonly entries: Mapping }
  readonly results: Queue & { readonly entries: Int32Array }
}

// #region queues
/**
 * Makes the queues, and maps them into this process.
 * @throws what io_uring_setup and mmap throw. io_uring_queue_init(3)
 */
export function io_uring_queue_init(entries: number): Ring {
  const params = io_uring_params()
  const fd = io_uring_setup(entries, params)
  const [places, resultPlaces] = [params[0]!, params[1]!]
  const [sq, cq] = [params.subarray(10, 20), params.subarray(20, 30)] // where is what, in bytes
  const [sqArray, cqEntries] = [sq[6]!, cq[5]!]

  const mappings: Mapping[] = []
  const map = (length: number, offset: number): Mapping => {
    try {
      const flags = MAP_SHARED | MAP_POPULATE
      mappings.push(mmap(null, length, PROT_READ | PROT_WRITE, flags, fd, offset))
    } catch (error) {
      for (const mapping of mappings) munmap(mapping)
      close(fd)
      throw error
    }
    return mappings.at(-1)!
  }
  const sqRing = map(sqArray + places * 4, IORING_OFF_SQ_RING)
  const cqRing = map(cqEntries + resultPlaces * CQE_SIZE, IORING_OFF_CQ_RING)
  const sqes = map(places * SQE_SIZE, IORING_OFF_SQES)

  // The queue of requests holds numbers of requests. Each of ours stays in the place of its number.
  for (let i = 0; i < places; i++) sqRing.bytes.writeUInt32LE(i, sqArray + 4 * i)
  const cqes = new Int32Array(cqRing.bytes.buffer, cqEntries, (resultPlaces * CQE_SIZE) / 4)
  return {
    fd,
    mappings,
    requests: { ...queue(sqRing, sq), entries: sqes },
    results: { ...queue(cqRing, cq), entries: cqes },
  }
}

function queue(ring: Mapping, offsets: Uint32Array): Queue {
  const words = new Int32Array(ring.bytes.buffer, 0, Math.floor(ring.bytes.byteLength / 4))
  const [head, tail, mask] = [offsets[0]! / 4, offsets[1]! / 4, words[offsets[2]! / 4]!]
  return { words, head, tail, mask }
}
// #endregion queues

// #region prep-recv
/**
 * Puts a recv into the queue of requests, for the next io_uring_enter to hand over.
 * @param memory where the bytes are to go: it has to stay mapped until the request is done
 * @param userData a number of ours, by which we know the result again
 * @throws RangeError where the queue is full, or `len` is more than there is memory.
 * io_uring_prep_recv(3)
 */
export function io_uring_prep_recv(
  ring: Ring,
  fd: number,
  memory: Mapping,
  len: number,
  flags: number,
  userData: number,
): void {
  const { words, head, tail, mask, entries } = opened(ring).requests
  if (!(len >= 0 && len <= memory.bytes.byteLength)) {
    throw new RangeError(`recv: len is ${len}, the memory has ${memory.bytes.byteLength} bytes`)
  }
  const next = words[tail]! // nobody else changes it
  if (((next - Atomics.load(words, head)) | 0) > mask)
    throw new RangeError('the queue of requests is full')
  const at = (next & mask) * SQE_SIZE
  const { bytes } = entries
  bytes.fill(0, at, at + SQE_SIZE)
  bytes.writeUInt8(IORING_OP_RECV, at)
  bytes.writeInt32LE(fd, at + 4)
  bytes.writeBigUInt64LE(memory.address, at + 16)
  bytes.writeUInt32LE(len, at + 24)
  bytes.writeUInt32LE(flags, at + 28)
  bytes.writeUInt32LE(userData, at + 32)
  Atomics.store(words, tail, next + 1) // the request is whole: now the kernel may see it
}
// #endregion prep-recv

/** What has become of a request: what its call would have returned, or a negative errno. */
export interface Completion {
  userData: number
  result: number
}

// #region peek
/**
 * Takes the next result out of its queue, or undefined if there is none. Both are in our memory: no
 * call is made. io_uring_peek_cqe(3), io_uring_cqe_seen(3)
 */
export function io_uring_peek_cqe(ring: Ring): Completion | undefined {
  const { words, head, tail, mask, entries } = opened(ring).results
  const next = words[head]! // nobody else changes it
  if (next === Atomics.load(words, tail)) return undefined
  const at = ((next & mask) * CQE_SIZE) / 4
  const completion = { userData: entries[at]! >>> 0, result: entries[at + 2]! }
  Atomics.store(words, head, next + 1) // seen: the kernel may use the place again
  return completion
}
// #endregion peek

/**
 * Ends the ring. A request that is not done is cancelled by the kernel, in its own time; the memory
 * that it was given has to stay until the process ends. io_uring_queue_exit(3)
 */
export function io_uring_queue_exit(ring: Ring): void {
  close(opened(ring).fd)
  for (const mapping of ring.mappings.splice(0)) munmap(mapping)
}

/** The queues of a closed ring are not in our memory any more, and a look would end the process. */
function opened(ring: Ring): Ring {
  if (ring.mappings.length === 0) throw new RangeError('the ring is closed')
  return ring
}
