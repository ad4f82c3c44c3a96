// A server that takes the listening socket over from the one before it, with all that waits in
// its queue.
// usage: node hand-over.ts PORT [HOST]

import { type Server, type Socket, createServer } from 'node:net'
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_PEERCRED,
  SO_REUSEADDR,
  type SystemError,
  bind,
  close,
  cmsg,
  cmsgs,
  connect,
  family,
  format,
  getsockname,
  getsockopt,
  listen,
  recv,
  recvmsg,
  send,
  sendmsg,
  setsockopt,
  sockaddr,
  sockaddr_un,
  socket,
} from '#posix'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node hand-over.ts PORT [HOST]')
  process.exit(2)
}

const clients = new Set<Socket>()
try {
  const addr = sockaddr(host, Number(port))
  const { listenFd, generation, controlFd } = received(format(addr)) ?? made(addr)
  serve(listenFd, generation, controlFd, format(getsockname(listenFd, addr)))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

interface Start {
  listenFd: number
  generation: number
  /** To the server before this one, if there is one. */
  controlFd?: number
}

function made(addr: Buffer): Start {
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  return { listenFd, generation: 1 }
}

// #region name
/** Where a server can be asked for its socket: a name of its own network, in no directory. unix(7) */
function controlName(address: string): string {
  return `\0hand-over ${address}`
}

/** A socket that listens there. Node 20 would fill the name up with NULs, and that is another name. */
function named(address: string): number {
  const controlFd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  bind(controlFd, sockaddr_un(controlName(address)))
  listen(controlFd, 1)
  return controlFd
}
// #endregion name

// #region received
/** The listening socket of the server that is there, if there is one. */
function received(address: string): Start | undefined {
  const controlFd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  try {
    connect(controlFd, sockaddr_un(controlName(address)))
  } catch (error) {
    close(controlFd)
    if ((error as SystemError).code === 'ECONNREFUSED') return undefined // nobody has the name
    throw error
  }
  if (uidOf(controlFd) !== process.getuid!()) {
    throw new Error(`hand-over: another user has taken the name of ${address}`)
  }
  const message = { name: null, data: Buffer.alloc(1), control: Buffer.alloc(24), flags: 0 }
  recvmsg(controlFd, message, MSG_CMSG_CLOEXEC)
  const [rights] = cmsgs(message.control)
  if (rights?.type !== SCM_RIGHTS) throw new Error(`hand-over: refused by the server at ${address}`)
  return { listenFd: rights.data.readInt32LE(0), generation: message.data[0]! + 1, controlFd }
}
// #endregion received

// #region serve
function serve(
  listenFd: number,
  generation: number,
  controlFd: number | undefined,
  address: string,
): void {
  const server = createServer((client) => {
    clients.add(client)
    client.on('close', () => clients.delete(client))
    client.on('error', () => {}) // a client that has gone
    client.end(`generation ${generation}\n`)
  })
  server.listen({ fd: listenFd }, SOMAXCONN, () => {
    if (controlFd !== undefined) {
      send(controlFd, Buffer.from('ready'), 5, 0)
      recv(controlFd, Buffer.alloc(1), 1, 0) // 0: the other one has given up the name
      close(controlFd)
    }
    const control = createServer((asker) => handOver(asker, listenFd, generation, server, control))
    control.listen({ fd: named(address) }, () => console.log(`listening on ${address}`))
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        control.close()
        server.close()
        for (const client of clients) client.destroy()
      })
    }
  })
}
// #endregion serve

// #region hand-over
function handOver(
  asker: Socket,
  listenFd: number,
  generation: number,
  server: Server,
  control: Server,
): void {
  asker.on('error', () => {})
  if (uidOf(fdOf(asker)) !== process.getuid!()) {
    asker.destroy()
    return
  }
  const data = Buffer.from(Int32Array.of(listenFd).buffer)
  sendmsg(
    fdOf(asker),
    {
      name: null,
      data: Buffer.of(generation),
      control: cmsg({ level: SOL_SOCKET, type: SCM_RIGHTS, data }),
      flags: 0,
    },
    0,
  )
  // From now on both have the socket. If the new one ends without a word, nothing has changed.
  asker.once('data', () => {
    control.close()
    server.close() // this descriptor of it; those who are being served are served to the end
    asker.end()
    console.log('handed over')
  })
}
// #endregion hand-over

// #region peer
/** Who is at the other end: struct ucred holds pid, uid and gid. unix(7) */
function uidOf(fd: number): number {
  const ucred = Buffer.alloc(12)
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred)
  return ucred.readUInt32LE(4)
}

/** The descriptor is in no API of Node: `_handle` may change in any version. */
function fdOf(socket: object): number {
  return (socket as { _handle: { fd: number } })._handle.fd
}
// #endregion peer
