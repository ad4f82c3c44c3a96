// The C library, and errno.
//
// Everything in posix/ is a plain call into libc, made through koffi (a foreign function interface). libc puts the reason of
// a failed call into `errno`, an int in thread-local memory; we look at that int through a view, which costs a few
// nanoseconds, where calling a function for it costs thirty.

// oxlint-disable-next-line import/no-unassigned-import -- another machine is to hear of it before koffi looks for its binary
import './machine.ts'
import koffi from 'koffi'

// #region load
/** The C library of this process. Programs call its functions by name; see calls.ts. */
export const libc = koffi.load('libc.so.6')
// #endregion load

// #region errno
const errnoLocation = libc.func('void *__errno_location()')() as bigint
const errno = new Int32Array(koffi.view(errnoLocation, 4))

/** The errno of the last failed call on this thread: read it right after the call, before anything else can fail. */
export function lastErrno(): number {
  return errno[0]!
}
// #endregion errno
