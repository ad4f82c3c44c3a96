import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import * as posix from '#posix'
import { conformance } from '../support/conformance.ts'
import { flood, read, reset } from '../support/flood.ts'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { within } from '../support/within.ts'
import { scenarios } from './multiplexing.scenarios.ts'
import { allowDescriptors, takeDescriptors } from './multiplexing/kernel.ts'

const slug = 'servers/multiplexing'
const test = testsOf(slug)

recordings(slug, scenarios)

/** An echo server gives back the newline too, and a last line that lacks it as it is. */
const echo = {
  slug,
  model: 'concurrent',
  stop: 'default',
  reply: (line: Buffer) => Buffer.concat([line, Buffer.from('\n')]),
  replyToRest: (rest: Buffer) => rest,
  clientsAtOnce: 1000,
} as const

// Node itself has some twenty descriptors, and select takes no more than 1,024 in all.
conformance({ ...echo, file: 'select-server.ts', greeting: 'Welcome to server!\n', clientsAtOnce: 900 })
conformance({ ...echo, file: 'epoll-server.ts' })
const alike = ['poll-server.ts', 'epoll-edge-server.ts', 'epoll-oneshot-server.ts']
for (const file of alike) conformance({ ...echo, file, opensLike: 'epoll-server.ts' })

test('the servers that open alike have the same lines from their arguments to listen, and no signal handlers', () => {
  const texts = ['epoll-server.ts', ...alike].map((file) => readFileSync(join(programsOf(slug), file), 'utf8'))
  const opening = (text: string): (string | undefined)[] =>
    [/^const \[port[^]*?^process\.on\('uncaughtException'[^]*?^\}\)$/m, /^const addr =[^]*?^listen\(.*\)$/m].map(
      (part) => part.exec(text)?.[0].replace(/usage: node \S+/, 'usage: node FILE'),
    )
  for (const text of texts) {
    expect(opening(text)).toEqual(opening(texts[0]!))
    expect(opening(text)).not.toContain(undefined)
    expect(text.match(/process\.(?:on|once)\(/g)).toHaveLength(1)
    expect(text).toContain('log(`listening on ${format(getsockname(listenFd, addr))}`)')
  }
})

const servers = [
  { file: 'select-server.ts', greeting: 'Welcome to server!\n' },
  { file: 'poll-server.ts', greeting: '' },
  { file: 'epoll-server.ts', greeting: '' },
  { file: 'epoll-edge-server.ts', greeting: '' },
  { file: 'epoll-oneshot-server.ts', greeting: '' },
]

test('descriptors that others have given back are found after a while, also where clients talk all the time', async ({
  stage,
}) => {
  const FULL = 'accept EMFILE: too many open files'
  const programs: [file: string, ...args: string[]][] = [
    ...servers.map(({ file }): [string] => [file]),
    ['exercise-chat.ts'],
    ['exercise-idle-timeout.ts', '127.0.0.1', '60000'],
    ['exercise-max-clients.ts', '127.0.0.1', '10'],
  ]
  await Promise.all(
    programs.map(async ([file, ...args]) => {
      const server = await stage.serve(file, file, 0, ...args)
      const first = await stage.connect(`client 1 of ${file}`, server)
      expect(await server.line()).toMatch(/^serving /)
      await takeDescriptors(server)
      const second = await stage.connect(`client 2 of ${file}`, server)
      expect(await server.line()).toBe(FULL)
      allowDescriptors(server)
      first.socket.resume()
      const talk = setInterval(() => first.socket.write('hello\n'), 100)
      let next = FULL // again, where this machine was slow to allow them
      while (next === FULL) next = await server.line()
      clearInterval(talk)
      expect(next).toMatch(/^serving /)
      await Promise.all([first.reset(), second.reset()])
    }),
  )
})

test('on Linux an accepted connection has TCP_NODELAY if its listening socket has', () => {
  const { AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY } = posix
  const addr = posix.sockaddr_in('127.0.0.1', 0)
  const listenFd = posix.socket(AF_INET, SOCK_STREAM, 0)
  posix.setsockopt(listenFd, IPPROTO_TCP, TCP_NODELAY, 1)
  posix.bind(listenFd, addr)
  posix.listen(listenFd, 1)
  const clientFd = posix.socket(AF_INET, SOCK_STREAM, 0)
  posix.connect(clientFd, posix.getsockname(listenFd, addr))
  const connFd = posix.accept(listenFd)
  expect(posix.getsockoptInt(connFd, IPPROTO_TCP, TCP_NODELAY)).toBe(1)
  for (const fd of [clientFd, connFd, listenFd]) posix.close(fd)
})

test('select: the client with descriptor 1024 is refused, and the others are served', async ({ stage }) => {
  const server = await stage.serve('server', 'select-server.ts', 0)
  const welcome = Buffer.from('Welcome to server!\n')
  const sockets = []
  let line = ''
  // The server has taken one client, or refused it, when the next one comes.
  for (; !line.startsWith('refused'); line = await server.line()) sockets.push(connect(server.address))
  expect(line).toMatch(/^refused 127\.0\.0\.1:\d+: descriptor 1024 does not fit in an fd_set$/)
  const refused = sockets.pop()!
  await within(once(refused, 'close'), 'the end of the refused one')
  expect(refused.bytesRead).toBe(0)
  for (const socket of [sockets[0]!, sockets.at(-1)!]) {
    socket.write('hello\n')
    expect(await read(socket, welcome.length + 6)).toEqual(Buffer.concat([welcome, Buffer.from('hello\n')]))
  }
  // A place that is given back is there for the next one.
  sockets.shift()!.destroy()
  expect(await server.line()).toMatch(/^closed /)
  const next = await stage.connect('next client', server)
  await next.receive(welcome)
  await Promise.all(sockets.map((socket) => reset(socket)))
})

for (const { file, greeting } of servers) {
  test(`${file}: without a descriptor it serves those it has, tries once, and takes the next when one leaves`, async ({
    stage,
  }) => {
    const server = await stage.serve('server', file, 0)
    const first = await stage.connect('client 1', server)
    const second = await stage.connect('client 2', server)
    for (const client of [first, second]) await client.receive(greeting)
    await server.lines(2)
    await takeDescriptors(server)
    const third = await stage.connect('client 3', server)
    const fourth = await stage.connect('client 4', server)
    expect(await server.line()).toBe('accept EMFILE: too many open files')
    for (const client of [third, fourth]) await client.send('hello\n')
    for (let i = 0; i < 100; i++) {
      await first.send(`${i}\n`)
      await first.receive(`${i}\n`)
    }
    // It did not try again, unless five seconds have passed meanwhile.
    expect(server.unawaited().length).toBeLessThan(5)
    third.nothingYet()
    await first.close()
    await third.receive(greeting)
    await third.receive('hello\n')
    fourth.nothingYet()
    await second.reset()
    await fourth.receive(greeting)
    await fourth.receive('hello\n')
  })
}

for (const { file, greeting } of servers) {
  test(`${file}: clients that send all they can do not keep another one waiting`, async ({ stage }) => {
    const server = await stage.serve('server', file, 0)
    server.ignoreOutput()
    const chunk = Buffer.alloc(65_536, 'flood\n')
    const floods = [connect(server.address), connect(server.address)]
    for (const socket of floods) {
      socket.on('data', () => {})
      socket.on('error', () => {})
      const push = (): void => {
        while (socket.writable && socket.write(chunk));
      }
      socket.on('connect', push)
      socket.on('drain', push)
    }
    const client = await stage.connect('client', server)
    await client.receive(greeting)
    for (let i = 0; i < 5; i++) {
      const before = floods.map(({ bytesRead }) => bytesRead)
      await client.send('hello\n')
      await client.receive('hello\n')
      while (floods.some(({ bytesRead }, j) => bytesRead === before[j])) {
        await within(
          once(
            floods.find(({ bytesRead }, j) => bytesRead === before[j])!,
            'data',
          ),
          'the floods to go on',
        )
      }
    }
    await Promise.all(floods.map((socket) => reset(socket)))
  })
}

test('an urgent byte does not stop the stream, under edge trigger either', async ({ stage }) => {
  const { AF_INET, MSG_OOB, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO } = posix
  const server = await stage.serve('server', 'epoll-edge-server.ts', 0)
  const fd = posix.socket(AF_INET, SOCK_STREAM, 0)
  try {
    posix.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, posix.timeval(10_000)) // fails in place of waiting for ever
    posix.connect(fd, posix.sockaddr_in('127.0.0.1', server.address.port))
    await server.line()
    server.kill('SIGSTOP')
    posix.send(fd, Buffer.from('before'), 6, 0)
    posix.send(fd, Buffer.from('!'), 1, MSG_OOB)
    posix.send(fd, Buffer.from('after\n'), 6, 0)
    server.kill('SIGCONT')
    const buffer = Buffer.alloc(100)
    let text = ''
    while (!text.endsWith('\n')) {
      const received = posix.tryRecv(fd, buffer, 100, 0)
      if (received === -posix.EINTR) continue // SIGCHLD: the server was stopped, or goes on
      expect(received).toBeGreaterThan(0)
      text += buffer.toString('latin1', 0, received)
    }
    expect(text).toBe('beforeafter\n')
  } finally {
    posix.close(fd)
  }
})

test('chat: who does not read is dropped, who sends a line without end as well, and the others go on', async ({
  stage,
}) => {
  const server = await stage.serve('server', 'exercise-chat.ts', 0)
  const deaf = await stage.connect('deaf', server)
  await server.line()
  deaf.socket.pause()
  const [first, second] = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
  await server.lines(2)
  const dropped = server.line()
  const text = `${'blah '.repeat(190)}\n`.repeat(60)
  let over = false
  void dropped.then(() => (over = true))
  while (!over) {
    await first.send(text)
    await second.receive(text)
  }
  expect(await dropped).toMatch(/ does not read$/)
  await second.send('a'.repeat(999))
  await second.send('\n')
  await first.receive(`${'a'.repeat(999)}\n`)
  await second.send('a'.repeat(1001))
  expect(await server.line()).toMatch(/: a line too long$/)
  await second.receiveEndOrReset()
  const third = await stage.connect('client 3', server)
  await server.line()
  for (const byte of 'byte by byte\n') await third.send(byte)
  await first.receive('byte by byte\n')
})

test('idle timeout: a client that does not read is silent too', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-idle-timeout.ts', 0, '127.0.0.1', 1000)
  const { socket } = await flood(server)
  await server.line()
  expect(await server.line()).toMatch(/ was silent for 1000 ms$/)
  await reset(socket)
})
