// A signal ends a wait: select, poll and epoll_wait under a timer that sends
// SIGALRM again and again.

import {
  AF_UNIX,
  EPOLLIN,
  EPOLL_CTL_ADD,
  FD_SET,
  ITIMER_REAL,
  POLLIN,
  SOCK_STREAM,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  fd_set,
  itimerval,
  poll,
  pollfds,
  select,
  setitimer,
  socketpair,
} from '#posix'

const [fd] = socketpair(AF_UNIX, SOCK_STREAM, 0) // nothing will ever come
const readfds = fd_set()
FD_SET(fd, readfds)
const places = pollfds(1)
places.set(0, fd, POLLIN)
const epfd = epoll_create1(0)
epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)
const events = epoll_events(1)

process.on('SIGALRM', () => {}) // libuv asks for SA_RESTART
setitimer(ITIMER_REAL, itimerval(20, 20))

tell(() => select(fd + 1, readfds, null, null, null))
tell(() => poll(places, 1, -1))
tell(() => epoll_wait(epfd, events, 1, -1))

setitimer(ITIMER_REAL, itimerval(0, 0))

function tell(wait: () => number): void {
  try {
    console.log(wait())
  } catch (error) {
    console.log((error as Error).message)
  }
}
