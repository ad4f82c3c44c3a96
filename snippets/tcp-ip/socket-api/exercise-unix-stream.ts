// The stream of this page between two unix-domain sockets: the same
// calls, another family, a path for an address.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AF_UNIX,
  SHUT_WR,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  format,
  getpeername,
  getsockname,
  listen,
  recv,
  send,
  shutdown,
  sockaddr_storage,
  sockaddr_un,
  socket,
} from '#posix'

const folder = mkdtempSync(join(tmpdir(), 'unix-stream-'))
try {
  const path = join(folder, 'socket')
  const addr = sockaddr_un(path)
  const listenFd = socket(AF_UNIX, SOCK_STREAM, 0)
  bind(listenFd, addr) // makes a file, which close does not remove
  listen(listenFd, 1)
  const own = format(getsockname(listenFd, sockaddr_storage()))
  console.log(`the server's address is the path: ${own === path}`)

  const clientFd = socket(AF_UNIX, SOCK_STREAM, 0)
  connect(clientFd, addr)
  const peer = sockaddr_storage()
  const connFd = accept(listenFd, peer)
  // It never called bind, and nobody chose a path for it.
  console.log(`the client's address: '${format(peer)}'`)
  const server = format(getpeername(clientFd, sockaddr_storage()))
  console.log(`the client's peer is the path: ${server === path}`)

  for (const text of ['a', 'b', 'c']) send(clientFd, Buffer.from(text), 1, 0)
  shutdown(clientFd, SHUT_WR)
  const buf = Buffer.alloc(100)
  // A send between unix sockets puts the bytes into the other's queue
  // before it returns: all three are there.
  const received = recv(connFd, buf, buf.length, 0)
  console.log(`recv: ${received}, '${buf.toString('utf8', 0, received)}'`)
  console.log(`recv: ${recv(connFd, buf, buf.length, 0)}`)

  for (const fd of [clientFd, connFd, listenFd]) close(fd)
  bind(socket(AF_UNIX, SOCK_STREAM, 0), addr) // the file is still there
} catch (error) {
  console.log((error as Error).message.replace(folder, 'FOLDER'))
} finally {
  rmSync(folder, { recursive: true })
}
