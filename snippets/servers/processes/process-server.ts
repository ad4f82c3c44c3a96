// A server that starts a process for each client: reverse-lines.ts, with the
// connection as its descriptor 3.
// usage: node process-server.ts PORT [HOST [PROCESSES]]

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import {
  F_GETFL,
  F_SETFL,
  F_SETOWN,
  O_ASYNC,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  type SystemError,
  accept4,
  bind,
  close,
  family,
  fcntl,
  format,
  getsockname,
  listen,
  setsockopt,
  sockaddr,
  sockaddr_storage,
  socket,
} from '#posix'

const STOP_LIMIT = 300 // milliseconds
const RETRY_DELAY = 1000 // milliseconds
const service = join(import.meta.dirname, 'reverse-lines.ts')

const [port = '', host = '127.0.0.1', processes = '16'] = process.argv.slice(2)
const valid = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
if (!valid || !/^[1-9]\d{0,3}$/.test(processes)) {
  console.error('usage: node process-server.ts PORT [HOST [PROCESSES]]')
  process.exit(2)
}

const limit = Number(processes)
const children = new Set<ChildProcess>()
const peer = sockaddr_storage()
let listenFd: number | undefined
let retry: NodeJS.Timeout | undefined
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
const waiting = setInterval(() => {}, 2 ** 30) // Node does not wait for signals alone

// #region listen
try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  bind(fd, addr)
  listen(fd, SOMAXCONN)
  // For each client that arrives the kernel sends this process a SIGIO. fcntl(2)
  process.on('SIGIO', acceptAll)
  fcntl(fd, F_SETOWN, process.pid)
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC)
  listenFd = fd
  console.log(`listening on ${format(getsockname(fd, addr))}`)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
acceptAll() // whoever came before the signal was asked for
// #endregion listen

// #region accept
// Takes every client that waits, as long as there is room for its process. The
// others stay in the accept queue.
function acceptAll(): void {
  try {
    while (listenFd !== undefined && children.size < limit) {
      const connFd = acceptNext(listenFd)
      if (connFd === undefined) return
      serve(connFd, format(peer))
    }
  } catch (error) {
    console.error((error as Error).message) // EMFILE, ENOMEM: not for now
    retry ??= setTimeout(acceptAgain, RETRY_DELAY).unref()
  }
}

function acceptAgain(): void {
  retry = undefined
  acceptAll()
}

function acceptNext(listenFd: number): number | undefined {
  const gone = ['ECONNABORTED', 'EINTR', 'EPERM', 'EPROTO', 'EOPNOTSUPP', 'ENOPROTOOPT']
  gone.push('ENETDOWN', 'ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENONET')
  for (;;) {
    try {
      return accept4(listenFd, peer, SOCK_CLOEXEC)
    } catch (error) {
      const { code } = error as SystemError
      if (code === 'EAGAIN') return undefined // nobody waits
      if (!gone.includes(code)) throw error
    }
  }
}
// #endregion accept

// #region spawn
function serve(connFd: number, client: string): void {
  try {
    const command = [...process.execArgv, service, '3'] // with our own flags
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'inherit', 'inherit', connFd], // its descriptors 0 to 3
    })
    child.on('error', (error) => notServed(client, error)) // EAGAIN, EMFILE
    if (child.pid === undefined) return
    children.add(child)
    console.log(`pid ${child.pid} serves ${client}`)
    child.on('exit', (status, signal) => {
      children.delete(child)
      console.log(`pid ${child.pid} ended: ${signal ?? `status ${status}`}`)
      acceptAll() // there is room again
    })
  } catch (error) {
    notServed(client, error as Error) // ENOMEM
  } finally {
    close(connFd) // ours; the child has its own
  }
}

function notServed(client: string, error: NodeJS.ErrnoException): void {
  console.log(`no process for ${client}: ${error.code ?? error.message}`)
}
// #endregion spawn

// #region stop
// Takes no more clients, and gives those who are being served a moment to finish.
// Node exits when the last child has ended.
function stop(): void {
  if (listenFd === undefined) return
  close(listenFd)
  listenFd = undefined
  clearInterval(waiting)
  setTimeout(() => {
    for (const child of children) child.kill('SIGTERM')
  }, STOP_LIMIT).unref()
}
// #endregion stop
