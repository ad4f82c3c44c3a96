// What /proc/net/tcp says of a connection, from a new socket to TIME_WAIT. proc(5)

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  TCP_INFO,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  getsockopt,
  listen,
  poll,
  pollfds,
  recv,
  send,
  sockaddr_in,
  socket,
} from '#posix'

// include/net/tcp_states.h, by number
const states = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
]
const TIMER_TIME_WAIT = 3
const TICKS = 100 // a second, USER_HZ
const LIMIT = 5000 // ms

const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
const port = endpoint(getsockname(listenFd, sockaddr_in('127.0.0.1', 0))).port!
console.log(`a new socket is in the state ${state(listenFd)}, and in ${lines().length} lines`)

// #region steps
listen(listenFd, 8)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, sockaddr_in('127.0.0.1', port))
send(clientFd, Buffer.from('hello'), 5, 0)
show('connected, not accepted, 5 bytes sent', (all) => all.some(({ rx }) => rx === 5))

const serverFd = accept(listenFd)
close(listenFd)
show('accepted', (all) => all.every(({ inode }) => inode > 0))

const began = performance.now()
close(clientFd)
show('the client has closed', (all) => all.some(({ st }) => states[st] === 'FIN_WAIT2'))

recv(serverFd, Buffer.alloc(8), 8, 0)
close(serverFd)
const [last] = show('the server too', (all) => all.every(({ st }) => states[st] === 'TIME_WAIT'))
// #endregion steps

// #region sixty
const left = last!.when / TICKS
const passed = (performance.now() - began) / 1000
const fits = left <= 60 && left >= 60 - passed - 0.05
console.log(`timer ${last!.timer}, for 60 s less the time that has passed: ${fits}`)
if (last!.timer !== TIMER_TIME_WAIT) process.exitCode = 1
// #endregion sixty

// #region line
interface Line {
  local: string
  remote: string
  st: number
  tx: number
  rx: number
  timer: number
  when: number
  inode: number
}

/** The lines of our connection. Behind `inode` are columns of little use. */
function lines(): Line[] {
  const [, ...all] = readFileSync('/proc/net/tcp', 'latin1').trimEnd().split('\n')
  return all.map(parse).filter((line) => `${line.local} ${line.remote} `.includes(`:${port} `))
}

function parse(line: string): Line {
  const [, local, remote, st, queues, timer, , , , inode] = line.trim().split(/\s+/)
  const [tx, rx] = queues!.split(':').map((hex) => parseInt(hex, 16)) as [number, number]
  const [tr, when] = timer!.split(':').map((hex) => parseInt(hex, 16)) as [number, number]
  return {
    local: address(local!),
    remote: address(remote!),
    st: parseInt(st!, 16),
    tx,
    rx,
    timer: tr,
    when,
    inode: Number(inode),
  }
}

/** 0100007F:1388 is 127.0.0.1:5000: four bytes printed as one number of this machine, and a port. */
function address(hex: string): string {
  const [ip, port] = hex.split(':').map((part) => parseInt(part, 16))
  return `${[...new Uint8Array(Uint32Array.of(ip!).buffer)].join('.')}:${port}`
}
// #endregion line

/** Prints the lines once they are as they will be: what was sent needs a moment to arrive. */
function show(when: string, ready: (all: Line[]) => boolean): Line[] {
  const end = performance.now() + LIMIT
  for (;;) {
    const all = lines()
    if (!ready(all) || all.some(({ tx }) => tx > 0)) {
      if (performance.now() > end) throw new Error(`not within ${LIMIT} ms: ${when}`)
      poll(pollfds(1), 0, 1) // there is no event for it, so it asks each millisecond
      continue
    }
    console.log(`\n${when}\nst | state | local | remote | tx | rx | inode`)
    for (const { st, local, remote, tx, rx, inode } of all.toSorted(
      (a, b) => b.st - a.st || b.rx - a.rx,
    )) {
      const hex = st.toString(16).toUpperCase().padStart(2, '0')
      console.log([hex, states[st], local, remote, tx, rx, inode > 0 ? 'yes' : '0'].join(' | '))
    }
    return all
  }
}

/** tcpi_state of struct tcp_info, linux/tcp.h */
function state(fd: number): string {
  const info = Buffer.alloc(1)
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)
  return `${states[info[0]!]} (${info[0]})`
}
