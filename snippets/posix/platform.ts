// The C library, and errno.
//
// Everything in posix/ is a plain call into libc, made through koffi (a foreign function
// interface). libc puts the reason of a failed call into `errno`, an int of each thread; we look at
// that int through a view, which costs less than a call for it would. A worker loads its own copy
// of this module, and so sees its own errno.

// oxlint-disable-next-line import/no-unassigned-import -- before koffi looks for its binary
import './machine.ts'
import koffi from 'koffi'

// #region load
/** The C library of this process, by glibc's name. Programs call its functions by name: calls.ts. */
export const libc = koffi.load('libc.so.6')
// #endregion load

// #region errno
const errnoLocation = libc.func('void *__errno_location()')() as bigint
const errno = new Int32Array(koffi.view(errnoLocation, 4))

/**
 * The errno of the last failed call on this thread: read it right after the call, before anything
 * else can fail.
 */
export function lastErrno(): number {
  return errno[0]!
}
// #endregion errno

/**
 * A string on its way into C, which would end it at its first NUL: 'good\0bad' must not pass for
 * 'good'.
 */
export function cString(text: string): string {
  if (!text.includes('\0')) return text
  throw new RangeError(`a C string cannot hold a NUL: ${JSON.stringify(text)}`)
}
