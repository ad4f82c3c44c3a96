// Memory that neither moves nor goes away by itself: what the kernel may be given for longer than
// one call. A Buffer will not do for that, since it may be collected in the meantime.

import koffi from 'koffi'
import { systemError } from './errors.ts'
import { lastErrno, libc } from './platform.ts'

const calls = {
  mmap: libc.func('void *mmap(void *, uint64_t, int, int, int, int64_t)'),
  munmap: libc.func('int munmap(uint64_t, uint64_t)'),
}

/** Pages of memory: where they are, and their bytes. */
export interface Mapping {
  readonly address: bigint
  readonly bytes: Buffer
}

/**
 * Maps pages of memory into the process: new ones with MAP_ANONYMOUS, else those that the
 * descriptor stands for.
 * @param addr null: the kernel chooses where
 * @param length in bytes, and then up to a whole page
 * @param prot PROT_READ, PROT_WRITE
 * @param flags MAP_PRIVATE or MAP_SHARED; or-ed with MAP_ANONYMOUS, MAP_POPULATE
 * @param fd -1 with MAP_ANONYMOUS
 * @throws EINVAL (no length, no such flags), ENOMEM, EBADF, EACCES (not opened for that), ENODEV (a
 * descriptor of something that cannot be mapped). mmap(2)
 */
export function mmap(
  addr: null,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): Mapping {
  const address = calls.mmap(addr, length, prot, flags, fd, offset) as bigint
  if (address === MAP_FAILED) throw systemError('mmap', -lastErrno())
  return { address, bytes: Buffer.from(koffi.view(address, length)) }
}

const MAP_FAILED = 2n ** 64n - 1n

/**
 * Takes the pages away. Its `bytes` are none from here on; what else still looks at the memory (a
 * subarray, the kernel) looks at nothing, and a look of ours ends the process. munmap(2)
 */
export function munmap(mapping: Mapping): void {
  const { address, bytes } = mapping
  Object.assign(mapping, { bytes: Buffer.alloc(0) })
  if (bytes.byteLength === 0) return
  if (calls.munmap(address, bytes.byteLength) === -1) throw systemError('munmap', -lastErrno())
}
