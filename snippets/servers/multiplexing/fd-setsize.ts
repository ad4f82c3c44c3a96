// An fd_set ends at descriptor 1023. The kernel takes as many bits as it is given.

import {
  AF_INET,
  FD_ISSET,
  FD_SET,
  FD_SETSIZE,
  F_DUPFD,
  SOCK_DGRAM,
  fcntl,
  fd_set,
  select,
  socket,
  timeval,
} from '#posix'

const fd = socket(AF_INET, SOCK_DGRAM, 0) // is writable at once
const lastFd = fcntl(fd, F_DUPFD, FD_SETSIZE - 1) // or the next that is free
const firstFd = fcntl(fd, F_DUPFD, FD_SETSIZE)

tell(lastFd, fd_set())
tell(firstFd, fd_set())
tell(firstFd, new Uint8Array(2 * fd_set().length))

function tell(fd: number, writefds: Uint8Array): void {
  const what = `descriptor ${fd} in a set of ${writefds.length} bytes:`
  try {
    FD_SET(fd, writefds)
    const count = select(fd + 1, null, writefds, null, timeval(0))
    console.log(what, FD_ISSET(fd, writefds) ? `${count} is writable` : 'nothing')
  } catch (error) {
    console.log(what, (error as Error).message)
  }
}
