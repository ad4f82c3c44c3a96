// Four processes wait for one listening socket, each in an epoll
// instance of its own. How many of them does one connection wake? A
// process that wakes says so, and calls accept only when it is told to:
// none takes the connection away before all have looked.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import {
  AF_INET,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLL_CTL_ADD,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  bind,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_events,
  epoll_wait,
  getsockname,
  listen,
  sockaddr_in,
  socket,
  tryAccept,
} from '#posix'

const WORKERS = 4
const PLAIN = 3 // two listening sockets, as a worker inherits them
const EXCLUSIVE = 4

if (process.argv[2] === 'worker') work()
else await watch()

// #region worker
function work(): void {
  const epfd = epoll_create1(0)
  const events = epoll_events(1)
  epoll_ctl(epfd, EPOLL_CTL_ADD, PLAIN, EPOLLIN)
  epoll_ctl(epfd, EPOLL_CTL_ADD, EXCLUSIVE, EPOLLIN | EPOLLEXCLUSIVE)
  epoll_ctl(epfd, EPOLL_CTL_ADD, 0, EPOLLIN) // standard input, which ends when all is over
  writeSync(1, 'ready\n')
  const word = Buffer.alloc(1)
  for (;;) {
    epoll_wait(epfd, events, 1, -1)
    const fd = events.fd(0)
    if (fd === 0) return
    writeSync(1, 'awake\n')
    readSync(0, word) // until it is told to go on
    const connFd = tryAccept(fd, undefined, 0)
    writeSync(1, connFd < 0 ? 'EAGAIN\n' : 'accepted\n')
    if (connFd >= 0) close(connFd)
  }
}
// #endregion worker

async function watch(): Promise<void> {
  const [plain, exclusive] = [listening(), listening()]
  const workers: Worker[] = []
  while (workers.length < WORKERS) workers.push(start(plain.fd, exclusive.fd))
  await until(() => workers.every(({ said }) => said.at(-1) === 'ready'))

  console.log('EPOLLIN')
  await connections(workers, plain.addr, WORKERS)
  console.log('EPOLLIN | EPOLLEXCLUSIVE')
  await connections(workers, exclusive.addr, 1)
  for (const { child } of workers) child.stdin!.end()
}

// #region connections
/** Three clients, one after another; each wakes `least` workers at least, as epoll_ctl(2) has it. */
async function connections(workers: Worker[], addr: Buffer, least: number): Promise<void> {
  for (let i = 1; i <= 3; i++) {
    await until(() => workers.every(sleeps))
    for (const { said } of workers) said.length = 0
    const clientFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
    connect(clientFd, addr)
    await until(() => workers.filter(isAwake).length >= least)
    await until(() => workers.every((worker) => isAwake(worker) || sleeps(worker)))

    const awake = workers.filter(isAwake)
    for (const { child } of awake) child.stdin!.write('.')
    await until(() => awake.every(({ said }) => said.length === 2))
    const accepted = awake.filter(({ said }) => said[1] === 'accepted').length
    const inVain = awake.length - accepted
    console.log(`  connection ${i}: ${awake.length} awake, accept ${accepted}, EAGAIN ${inVain}`)
    close(clientFd)
  }
}
// #endregion connections

interface Worker {
  child: ChildProcess
  /** What it has said since the last connection. */
  said: string[]
}

function start(...fds: number[]): Worker {
  const said: string[] = []
  const args = [...process.execArgv, import.meta.filename, 'worker']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit', ...fds] })
  createInterface({ input: child.stdout! }).on('line', (line) => said.push(line))
  child.on('exit', (status) => {
    if (status !== 0) process.exit(1) // it has printed why
  })
  return { child, said }
}

function isAwake({ said }: Worker): boolean {
  return said[0] === 'awake'
}

/** Whether it is asleep in epoll_wait. proc(5): /proc/PID/syscall */
function sleeps({ child }: Worker): boolean {
  const call = readFileSync(`/proc/${child.pid}/syscall`, 'latin1').split(' ')[0]
  return call === (process.arch === 'arm64' ? '22' : '232') // asm/unistd.h
}

function listening(): { fd: number; addr: Buffer } {
  const addr = sockaddr_in('127.0.0.1', 0)
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  bind(fd, addr)
  listen(fd, 16)
  return { fd, addr: getsockname(fd, addr) }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(1)
}
