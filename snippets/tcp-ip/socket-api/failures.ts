// The failures that everybody meets first: what the call throws, and
// what Node's own modules say to the same mistake.

import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { Socket, createServer, connect as netConnect } from 'node:net'
import {
  AF_INET,
  SHUT_WR,
  SOCK_STREAM,
  type SystemError,
  accept,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  listen,
  recv,
  send,
  shutdown,
  sockaddr_in,
  socket,
} from '#posix'

const buf = Buffer.alloc(10)

console.log('bind to a port that is taken')
const addr = sockaddr_in('127.0.0.1', 0)
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
bind(listenFd, addr)
getsockname(listenFd, addr)
const port = endpoint(addr).port!

const fd = socket(AF_INET, SOCK_STREAM, 0)
tell('bind', () => bind(fd, addr))
say('node:net', await errorOf(createServer().listen(port, '127.0.0.1')))

// bind has reserved the port, and listen is still to come.
console.log('\nconnect to a port on which nobody listens')
tell('connect', () => connect(fd, addr))
say('node:net', await errorOf(netConnect(port, '127.0.0.1')))

console.log('\nrecv before connect')
tell('recv', () => recv(fd, buf, buf.length, 0))
console.log(`  node:net  read() → ${new Socket().read()}, and data after the connection`)

console.log('\nsend after shutdown')
listen(listenFd, 5)
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
connect(clientFd, addr)
const connFd = accept(listenFd)
shutdown(clientFd, SHUT_WR)
tell('send', () => send(clientFd, buf, buf.length, 0))
const client = netConnect(port, '127.0.0.1')
client.end()
const failed = errorOf(client)
client.write('too late')
say('node:net', await failed)
client.destroy()

console.log('\nclose a descriptor twice')
close(connFd)
tell('close', () => close(connFd))
try {
  closeSync(connFd)
} catch (error) {
  say('node:fs', error)
}

for (const open of [fd, clientFd, listenFd]) close(open)

function tell(call: string, act: () => void): void {
  try {
    act()
    throw new Error('did not fail')
  } catch (error) {
    say(call, error)
  }
}

function say(who: string, error: unknown): void {
  const { message, code, errno, syscall } = error as SystemError
  console.log(`  ${who.padEnd(8)}  ${message}`)
  console.log(`  ${''.padEnd(8)}  code ${code}, errno ${errno}, syscall ${syscall}`)
}

async function errorOf(emitter: NodeJS.EventEmitter): Promise<unknown> {
  const [error] = (await once(emitter, 'error')) as unknown[]
  return error
}
