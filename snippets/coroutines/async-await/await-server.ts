// The echo server of 3.1 with async functions: `GOT:` and the line, for every line.
// usage: node await-server.ts select|poll|epoll PORT [HOST]

import {
  EAGAIN,
  IPPROTO_TCP,
  POLLIN,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  type SystemError,
  TCP_NODELAY,
  bind,
  close,
  epollPoller,
  family,
  format,
  getsockname,
  listen,
  pollPoller,
  selectPoller,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
  systemError,
  tryAccept,
  tryRecv,
  trySend,
} from '#posix'

const LINE_MAX = 65_536 // bytes, the newline among them
const CREDIT = 64 // calls in a row
const FULL = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) // no room for another connection
const RETRY = 1000 // milliseconds
const NEWLINE = 10
const GOT = Buffer.from('GOT:')

const pollers = { select: selectPoller, poll: pollPoller, epoll: epollPoller }

const [name = '', port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!Object.hasOwn(pollers, name) || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node await-server.ts select|poll|epoll PORT [HOST]')
  process.exit(2)
}

// What no `catch` has seen comes here, the reason of a rejected promise too.
process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

interface Socket {
  fd: number
  credit: number
}

const poller = pollers[name as keyof typeof pollers]()
const waiting = new Map<number, () => void>() // by descriptor
const sleeping: { time: number; wake: () => void }[] = [] // all equally long: the next one first
const buffer = Buffer.alloc(LINE_MAX) // for all: a call leaves no byte in it

// #region ready
/** Resolves when a call on the descriptor is worth another attempt. */
function ready(fd: number, events: number): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.has(fd)) throw new Error(`somebody waits for descriptor ${fd} already`)
    poller.watch(fd, events)
    waiting.set(fd, resolve)
  })
}
// #endregion ready

function pause(): Promise<void> {
  return new Promise((wake) => {
    sleeping.push({ time: performance.now() + RETRY, wake })
  })
}

// #region turn
function turn(): void {
  const first = sleeping[0]
  const timeout = first === undefined ? -1 : Math.max(0, first.time - performance.now())
  poller.wait(timeout, (fd) => {
    poller.watch(fd, 0)
    const wake = waiting.get(fd)!
    waiting.delete(fd)
    wake()
  })
  const now = performance.now()
  while (sleeping.length > 0 && sleeping[0]!.time <= now) sleeping.shift()!.wake()
  setImmediate(turn) // once all who are resumed wait again
}
// #endregion turn

// #region attempt
/** Makes a call until it has a result, which undefined is not, and waits in between. */
async function attempt<T>(socket: Socket, events: number, call: () => T | undefined): Promise<T> {
  for (;;) {
    if (socket.credit-- > 0) {
      const result = call()
      if (result !== undefined) return result
    }
    await ready(socket.fd, events)
    socket.credit = CREDIT
  }
}

function recv(socket: Socket): Promise<Buffer> {
  return attempt(socket, POLLIN, () => {
    const received = tryRecv(socket.fd, buffer, buffer.length, 0)
    if (received === -EAGAIN) return undefined
    if (received < 0) throw systemError('recv', received)
    return Buffer.from(buffer.subarray(0, received)) // before anybody else is resumed
  })
}
// #endregion attempt

function send(socket: Socket, data: Uint8Array): Promise<number> {
  return attempt(socket, POLLOUT, () => {
    const sent = trySend(socket.fd, data, data.length, 0)
    if (sent === -EAGAIN) return undefined
    if (sent < 0) throw systemError('send', sent)
    return sent
  })
}

function accept(socket: Socket): Promise<[Socket, string]> {
  return attempt(socket, POLLIN, () => {
    const peer = sockaddr_storage()
    const fd = tryAccept(socket.fd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd === -EAGAIN) return undefined
    if (fd < 0) throw systemError('accept', fd)
    return [{ fd, credit: CREDIT }, format(peer)]
  })
}

// #region lines
/** The lines of a client, each with its newline; the last one may lack it. */
async function* lines(client: Socket): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for (;;) {
    for (let end; (end = rest.indexOf(NEWLINE) + 1) > 0; rest = rest.subarray(end)) {
      if (end > LINE_MAX) break
      yield rest.subarray(0, end)
    }
    if (rest.length >= LINE_MAX) throw new RangeError(`a line of more than ${LINE_MAX} bytes`)
    const chunk = await recv(client)
    if (chunk.length === 0) break
    rest = Buffer.concat([rest, chunk])
  }
  if (rest.length > 0) yield rest
}
// #endregion lines

async function sendAll(client: Socket, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) sent += await send(client, data.subarray(sent))
}

// #region server
async function serverLoop(server: Socket): Promise<never> {
  for (;;) {
    try {
      const [client, peer] = await accept(server)
      console.log(`Got connection from ${peer}`)
      void clientHandler(client, peer)
    } catch (error) {
      const { code, message } = error as SystemError
      if (!FULL.has(code)) throw error
      console.log(message)
      await pause()
    }
  }
}

async function clientHandler(client: Socket, peer: string): Promise<void> {
  try {
    for await (const line of lines(client)) await sendAll(client, Buffer.concat([GOT, line]))
    console.log(`Client closed ${peer}`)
  } catch (error) {
    console.log(`${peer} ${(error as Error).message}`)
  } finally {
    close(client.fd)
  }
}

void serverLoop(listening(sockaddr(host, Number(port))))
setImmediate(turn) // not turn(): the first client may be here already
// #endregion server

function listening(addr: Buffer): Socket {
  const listenFd = socket(family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1) // even in TIME_WAIT
  setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1) // for its connections too
  bind(listenFd, addr)
  listen(listenFd, SOMAXCONN)
  console.log(`listening on ${format(getsockname(listenFd, addr))}`)
  return { fd: listenFd, credit: CREDIT }
}
