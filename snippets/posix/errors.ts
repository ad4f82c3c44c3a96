// A failed call as an Error, shaped as Node shapes its own: code, errno (negative), syscall,
// address, port, and a message such as `bind EADDRINUSE: address already in use 127.0.0.1:5000`.
// IPv6 addresses get the brackets of RFC 5952, which Node leaves out: `[::1]:5000`.

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { type Endpoint, endpoint, format } from './addresses.ts'
import { lastErrno, libc } from './platform.ts'

// The numbers of this machine, as Node was compiled with them. Compare with a negative result:
// `n === -EAGAIN`.
export const {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EDESTADDRREQ,
  EEXIST,
  EHOSTUNREACH,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EISCONN,
  EMFILE,
  EMSGSIZE,
  ENETUNREACH,
  ENFILE,
  ENOBUFS,
  ENOENT,
  ENOMEM,
  ENOPROTOOPT,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  ETIMEDOUT,
} = constants.errno

/** What a failed call throws. `errno` is negative, as in Node's own errors. */
export interface SystemError extends Error {
  code: string
  errno: number
  syscall: string
  address?: string
  port?: number
}

const strerror = libc.func('const char *strerror(int)')

// EAGAIN and EWOULDBLOCK are the same number on Linux, so the first name of a number wins.
const names = new Map<number, string>()
for (const [name, number] of Object.entries(constants.errno)) {
  if (!names.has(number)) names.set(number, name)
}

const libuvErrors = getSystemErrorMap() // once: each call makes a map of all errors

// #region systemError
/**
 * The Error for a failed call.
 * @param syscall the name of the call
 * @param errno its number, negative (`-EADDRINUSE`)
 * @param addr the address the call was about, if there was one
 * @see errno(3), https://nodejs.org/api/errors.html#class-systemerror
 */
export function systemError(syscall: string, errno: number, addr?: Uint8Array): SystemError {
  // libuv names most numbers and says them in lower case; libc knows the rest (ECHILD, for one).
  const [name, text] = libuvErrors.get(errno) ?? [
    names.get(-errno) ?? `errno ${-errno}`,
    (strerror(-errno) as string).toLowerCase(),
  ]
  // One number on Linux, two names: the manuals of sockets have this one, libuv has the other.
  const code = name === 'ENOTSUP' ? 'EOPNOTSUPP' : name
  const where = addr === undefined ? undefined : readable(addr)
  const about = where === undefined ? '' : ` ${format(addr!)}`
  const error = new Error(`${syscall} ${code}: ${text}${about}`)
  return Object.assign(error, { code, errno, syscall }, where)
}

/**
 * The address and port that an error tells; undefined where they cannot be read, perhaps for that
 * very error.
 */
function readable(addr: Uint8Array): Omit<Endpoint, 'family'> | undefined {
  try {
    const { family: _family, ...where } = endpoint(addr)
    return where
  } catch {
    return undefined
  }
}
// #endregion systemError

// #region check
/** Passes on what a call returned, or throws: -1 means that errno has the reason. */
export function check(result: number, syscall: string, addr?: Uint8Array): number {
  if (result === -1) throw systemError(syscall, -lastErrno(), addr)
  return result
}
// #endregion check
