// Wrong on purpose: takes POLLOUT for a connection.
// usage: node pollout.broken.ts ADDRESS PORT

import {
  AF_INET,
  POLLOUT,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SystemError,
  connect,
  poll,
  pollfds,
  send,
  sockaddr_in,
  socket,
} from '#posix'

const [host, port] = process.argv.slice(2)
const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
try {
  connect(fd, sockaddr_in(host!, Number(port)))
} catch (error) {
  if ((error as SystemError).code !== 'EINPROGRESS') throw error
}

const fds = pollfds(1)
fds.set(0, fd, POLLOUT)
if (poll(fds, 1, 5000) === 1) console.log(`connected to ${host}:${port}`)
try {
  send(fd, Buffer.from('hello\n'), 6, 0)
} catch (error) {
  console.log((error as Error).message)
}
