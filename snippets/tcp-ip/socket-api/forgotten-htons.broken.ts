// Wrong on purpose: writes the port into the sockaddr_in in host byte
// order.

import {
  AF_INET,
  SOCK_STREAM,
  type SystemError,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  sockaddr_in,
  socket,
} from '#posix'

const port = 1234
// All of 127.0.0.0/8 is this host. An address made of the process id is
// one that nobody else uses.
const { pid } = process
const host = `127.${1 + (pid >> 16)}.${(pid >> 8) & 255}.${pid & 255}`

const addr = sockaddr_in(host, 0)
// #region forgotten
// C: addr.sin_port = port, where htons(port) was due.
new Uint16Array(addr.buffer, addr.byteOffset, 2)[1] = port
// #endregion forgotten

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
listen(listenFd, 5)
console.log(`asked for port ${port}: bind and listen are content`)
console.log(`the kernel listens on port ${endpoint(getsockname(listenFd, addr)).port}`)

const clientFd = socket(AF_INET, SOCK_STREAM, 0)
try {
  connect(clientFd, sockaddr_in(host, port)) // by somebody who knows how
} catch (error) {
  console.error(`a client of port ${port}: ${(error as SystemError).code}`)
  process.exitCode = 1
}
close(clientFd)
close(listenFd)
