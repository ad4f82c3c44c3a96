// What SO_REUSEADDR and SO_REUSEPORT let two TCP sockets do with one port.
// usage: node share-port.ts

import {
  AF_INET,
  MSG_WAITALL,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  recv,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

const none = sockaddr_in('127.0.0.1', 0)

// #region listening
for (const [name, option] of Object.entries({ none: 0, SO_REUSEADDR, SO_REUSEPORT })) {
  const first = endpoint(option)
  bind(first, none)
  const addr = getsockname(first, sockaddr_in('127.0.0.1', 0))
  const second = endpoint(option)
  console.log(`both with ${name}, the first is bound: ${attempt(() => bind(second, addr))}`)
  listen(first, 1)
  const third = endpoint(option)
  console.log(`both with ${name}, the first listens: ${attempt(() => bind(third, addr))}`)
  for (const fd of [first, second, third]) close(fd)
}
// #endregion listening

// #region one-sided
for (const [name, option] of Object.entries({ SO_REUSEADDR, SO_REUSEPORT })) {
  const first = endpoint(0)
  bind(first, none)
  listen(first, 1)
  const second = endpoint(option)
  const result = attempt(() => bind(second, getsockname(first, sockaddr_in('127.0.0.1', 0))))
  console.log(`only the second with ${name}: ${result}`)
  for (const fd of [first, second]) close(fd)
}
// #endregion one-sided

// #region time-wait
for (const [name, option] of Object.entries({ none: 0, SO_REUSEADDR, SO_REUSEPORT })) {
  const first = endpoint(option)
  bind(first, none)
  listen(first, 1)
  const addr = getsockname(first, sockaddr_in('127.0.0.1', 0))
  const clientFd = endpoint(0)
  connect(clientFd, addr)
  close(accept(first)) // the side that closes first has the TIME_WAIT
  recv(clientFd, Buffer.alloc(1), 1, MSG_WAITALL)
  close(clientFd)
  close(first)
  const second = endpoint(option)
  console.log(`both with ${name}, a connection in TIME_WAIT: ${attempt(() => bind(second, addr))}`)
  close(second)
}
// #endregion time-wait

function endpoint(option: number): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  if (option !== 0) setsockopt(fd, SOL_SOCKET, option, 1)
  return fd
}

function attempt(call: () => void): string {
  try {
    call()
    return 'bound too'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}
