import { spawnSync } from 'node:child_process'
import { expect } from 'vitest'
import * as posix from '#posix'
import { conformance } from '../support/conformance.ts'
import { FLOOD_LINE, flood, read, reset } from '../support/flood.ts'
import { recordings, testsOf } from '../support/recordings.ts'
import { runToEnd } from '../support/spawn.ts'
import { scenarios } from './iterative.scenarios.ts'

const slug = 'servers/iterative'
const reply = (line: Buffer): Buffer => line.reverse()
const lineMax = 65_536
const test = testsOf(slug)

recordings(slug, scenarios)

conformance({ slug, file: 'reversing-server.ts', model: 'iterative', stop: 'default', reply, lineMax })
conformance({ slug, file: 'reversing-server-node.ts', model: 'concurrent', stop: 'orderly', reply, lineMax })

test('a host that is no address ends the server with the reason', async ({ stage }) => {
  const server = stage.start('server', 'reversing-server.ts', 0, 'nowhere')
  expect(await server.errorLine()).toBe('inet_pton EINVAL: not an IPv4 address: nowhere')
  expect(await server.exit()).toEqual({ status: 1, signal: null })
})

test('a connection that was reset in the queue is handed out, with what came before the reset', () => {
  const { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_LINGER, SO_RCVTIMEO } = posix
  const addr = posix.sockaddr_in('127.0.0.1', 0)
  const listenFd = posix.socket(AF_INET, SOCK_STREAM, 0)
  posix.bind(listenFd, addr)
  posix.listen(listenFd, 1)
  posix.setsockopt(listenFd, SOL_SOCKET, SO_RCVTIMEO, posix.timeval(5000)) // fails in place of waiting for ever
  const clientFd = posix.socket(AF_INET, SOCK_STREAM, 0)
  posix.connect(clientFd, posix.getsockname(listenFd, addr))
  posix.send(clientFd, Buffer.from('hello\n'), 6, 0)
  posix.setsockopt(clientFd, SOL_SOCKET, SO_LINGER, posix.linger(true, 0))
  posix.close(clientFd) // a reset

  const connFd = posix.accept(listenFd)
  posix.setsockopt(connFd, SOL_SOCKET, SO_RCVTIMEO, posix.timeval(5000))
  const buffer = Buffer.alloc(100)
  expect(posix.recv(connFd, buffer, 100, 0)).toBe(6)
  expect(() => posix.recv(connFd, buffer, 100, 0)).toThrow('recv ECONNRESET')
  posix.close(connFd)
  posix.close(listenFd)
})

test('without a descriptor for its client the server ends and says so', async ({ stage }) => {
  const server = await stage.serve('server', 'reversing-server.ts', 0)
  await server.waitsIn('accept')
  spawnSync('prlimit', ['--nofile=3', '--pid', String(server.pid)])
  const client = await stage.connect('client', server) // Linux has reserved a descriptor for the accept that waits already
  await client.halfClose()
  expect(await server.errorLine()).toBe('accept EMFILE: too many open files')
  expect(await server.exit()).toEqual({ status: 1, signal: null })
})

test('in a program that never returns to the event loop, console.log keeps memory and writeSync does not', async () => {
  /** By how many bytes a program grows for each line that it prints to a pipe. */
  const growth = async (print: string, rounds: number): Promise<number> => {
    const program = `
      const { writeSync } = require('node:fs')
      const lines = 30_000
      const run = () => { for (let i = 0; i < lines; i++) ${print} }
      run()
      let least = Infinity
      for (let i = 0; i < ${rounds}; i++) {
        const before = process.memoryUsage().rss
        run()
        least = Math.min(least, process.memoryUsage().rss - before)
      }
      console.error(least / lines)`
    return Number((await runToEnd(process.execPath, ['-e', program])).stderr)
  }
  expect(await growth("console.log('serving')", 1)).toBeGreaterThan(100)
  expect(await growth("writeSync(1, 'serving\\n')", 5)).toBeLessThan(100) // what else grows meanwhile grows once
})

test('a server with time limits goes on where a stop and a continue have interrupted it', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-idle-timeout.ts', 0, '127.0.0.1', 5000)
  const { socket, sent } = await flood(server) // it waits in send
  server.kill('SIGSTOP')
  server.kill('SIGCONT')
  const answers = reply(Buffer.from(FLOOD_LINE.subarray(0, -1)))
  const due = (sent / FLOOD_LINE.length) * answers.length
  expect((await read(socket, due)).equals(Buffer.alloc(due, answers))).toBe(true)
  await server.waitsIn('recv')
  server.kill('SIGSTOP')
  server.kill('SIGCONT')
  socket.write('hello\n')
  expect((await read(socket, 5)).toString()).toBe('olleh')
  await reset(socket)
})

test('graphemes: what is not UTF-8 does not end the server', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-graphemes.ts', 0)
  const client = await stage.connect('client', server)
  await client.send(Buffer.from([0x61, 0xff, 0x62, 0x0a]))
  await client.receive('b\ufffda')
  await client.send(Buffer.from('中\n').subarray(0, 1)) // a character that comes in two pieces
  await client.send(Buffer.from('中文\n').subarray(1))
  await client.receive('文中')
})
