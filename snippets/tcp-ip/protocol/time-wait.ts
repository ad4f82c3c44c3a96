// How long a connection stays in TIME_WAIT, and how long one without a program in FIN_WAIT_2, with
// tcp_fin_timeout at 2 seconds.
// usage: node time-wait.ts (in a network of its own: unshare -Urn node time-wait.ts)

import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AF_INET,
  CLONE_NEWNET,
  SOCK_STREAM,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  recv,
  setInterfaceUp,
  sockaddr_in,
  socket,
  unshare,
} from '#posix'

const FIN_TIMEOUT = 2 // s
const TICKS = 100 // a second, USER_HZ: the unit of /proc/net/tcp
const LIMIT = 5000 // ms
const states: Record<string, string> = { '05': 'FIN_WAIT_2', '06': 'TIME_WAIT' } // tcp_states.h

const setting = '/proc/sys/net/ipv4/tcp_fin_timeout'
try {
  unshare(CLONE_NEWNET) // a network of our own, whose settings may be changed
  setInterfaceUp('lo')
  writeFileSync(setting, String(FIN_TIMEOUT))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
console.log(`tcp_fin_timeout: ${readFileSync(setting, 'latin1').trim()} s`)

const table = Buffer.alloc(65_536)
const tableFd = openSync('/proc/net/tcp', 'r')
const buf = Buffer.alloc(8)

// #region two
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, sockaddr_in('127.0.0.1', 0))
listen(listenFd, 2)

const half = connection()
close(half.clientFd) // the server has not closed: FIN_WAIT_2, which no program waits for
const whole = connection()
close(whole.clientFd)
recv(whole.serverFd, buf, buf.length, 0) // 0: the client's FIN is here
close(whole.serverFd)
const began = performance.now()
show('FIN_WAIT_2', half.port)
show('TIME_WAIT', whole.port)
// #endregion two

await gone('FIN_WAIT_2', half.port, FIN_TIMEOUT)
await gone('TIME_WAIT', whole.port, 60) // TCP_TIMEWAIT_LEN, include/net/tcp.h
for (const fd of [half.serverFd, listenFd]) close(fd)
closeSync(tableFd)

/** The line of /proc/net/tcp of a client's port: its state, and how long until its timer expires. proc(5) */
function lineOf(port: number): { state: string | undefined; left: number } | undefined {
  const text = table.toString('latin1', 0, readSync(tableFd, table, 0, table.length, 0))
  for (const line of text.split('\n').slice(1, -1)) {
    const [, local, , state, , timer] = line.trim().split(/\s+/)
    if (parseInt(local!.split(':')[1]!, 16) !== port) continue
    return { state: states[state!], left: parseInt(timer!.split(':')[1]!, 16) / TICKS }
  }
  return undefined
}

function show(state: string, port: number): void {
  let line = lineOf(port)
  while (line?.state !== state) {
    if (performance.now() - began > LIMIT) throw new Error(`${line?.state}, not ${state}`)
    line = lineOf(port)
  }
  console.log(`${state}: ${Math.ceil(line.left)} s are left`)
}

// #region gone
/** Sleeps until it is due, and then looks five times a second. */
async function gone(state: string, port: number, due: number): Promise<void> {
  await sleep(Math.max(0, began + due * 1000 - 500 - performance.now()))
  while (lineOf(port) !== undefined) await sleep(200)
  const elapsed = performance.now() - began
  console.log(
    `${state} ends after ${elapsed.toFixed()} ms, not before ${due} s: ${elapsed > due * 1000 - 100}`,
  )
}
// #endregion gone

function connection(): { clientFd: number; serverFd: number; port: number } {
  const clientFd = socket(AF_INET, SOCK_STREAM, 0)
  connect(clientFd, getsockname(listenFd, sockaddr_in('0.0.0.0', 0)))
  const { port } = endpoint(getsockname(clientFd, sockaddr_in('0.0.0.0', 0)))
  return { clientFd, serverFd: accept(listenFd), port: port! }
}
