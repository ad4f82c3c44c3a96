// The C library, and errno.
//
// Everything in posix/ is a plain call into libc, made through koffi (a foreign function interface). libc puts the reason of
// a failed call into `errno`, an int in thread-local memory; we look at that int through a view, which costs a few
// nanoseconds, where calling a function for it costs thirty.

import koffi from 'koffi'

// #region load
if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) {
  console.error(
    `posix/ knows the structures and constants of Linux on x64 and arm64; this is ${process.platform} on ${process.arch}. ` +
      `Programs that import '#posix' run on Linux (a container or a virtual machine will do); those on node: modules run here too.`,
  )
  process.exit(1)
}

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
