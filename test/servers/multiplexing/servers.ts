import { once } from 'node:events'
import { FLOOD_LINE, flood, read } from '../../support/flood.ts'
import { type Scenarios, alone } from '../../support/recordings.ts'
import { within } from '../../support/within.ts'
import { forbidDescriptors, stopInEpollWait, takeDescriptors } from './kernel.ts'

const WELCOME = 'Welcome to server!\n'

export const servers: Scenarios = {
  async 'select-server'(stage) {
    const server = await stage.serve('server', 'select-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.receive(WELCOME)
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.receive(WELCOME)
    await second.send('me too\n')
    await second.receive('me too\n')
    await first.send('hel')
    await first.receive('hel')
    await second.reset()
    await server.line()
    await first.send('lo\n')
    await first.halfClose()
    await first.receive('lo\n')
    await first.receiveEnd()
    await server.line()
  },

  'fd-setsize': alone('fd-setsize.ts'),

  interrupted: alone('interrupted.ts'),

  async 'poll-server'(stage) {
    const server = await stage.serve('server', 'poll-server.ts', 0)
    const names = ['client 1', 'client 2', 'client 3']
    const clients = []
    for (const name of names) {
      clients.push(await stage.connect(name, server))
      await server.line()
    }
    const [first, second, third] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]]
    await first.close()
    await server.line()
    await third.send('in place 1 now\n')
    await third.receive('in place 1 now\n')
    await second.send('in place 2\n')
    await second.receive('in place 2\n')
  },

  async 'slow-reader'(stage) {
    const server = await stage.serve('server', 'epoll-server.ts', 0)
    const { socket, sent } = await flood(server)
    await server.line()
    stage.transcript.add('client 1', '─', 'sends and does not read, until nobody takes any more')
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('hello\n')
    await second.receive('hello\n')
    const due = Buffer.alloc(sent, FLOOD_LINE)
    if (!(await read(socket, sent)).equals(due)) throw new Error('what came back is not what was sent')
    stage.transcript.add('client 1', '─', 'reads, and has all of it back')
    const closed = once(socket, 'close')
    socket.end()
    await server.line()
    await within(closed, 'the end of the connection')
  },

  async 'no-descriptor-left'(stage) {
    const server = await stage.serve('server', 'epoll-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await takeDescriptors(server)
    stage.transcript.add('server', '─', 'no descriptor is left')
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    await server.line()
    await first.send('hello\n')
    await first.receive('hello\n')
    second.nothingYet()
    await first.close()
    await server.lines(2)
    await second.receive('me too\n')
  },

  async 'epoll-edge-server'(stage) {
    const server = await stage.serve('server', 'epoll-edge-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    const text = 'a megabyte that is one edge\n'.repeat(37_450)
    first.socket.end(text)
    stage.transcript.add('client 1', '▶', `(${text.length.toLocaleString('en')} bytes)`)
    stage.transcript.add('client 1', '─', 'half-close')
    await second.send('hello\n')
    await second.receive('hello\n')
    await first.receive(text)
    await first.receiveEnd()
    await server.line()
  },

  async 'epoll-oneshot-server'(stage) {
    const server = await stage.serve('server', 'epoll-oneshot-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    for (const text of ['one\n', 'and another\n']) {
      await first.send(text)
      await first.receive(text)
    }
    const second = await stage.connect('client 2', server)
    await server.line()
    await first.close()
    await server.line()
    await second.send('hello\n')
    await second.receive('hello\n')
  },

  async 'every-slot'(stage) {
    const server = await stage.serve('server', 'every-slot.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.receive(WELCOME)
    await first.send('one\n')
    await first.receive('one\n')
    await server.waitsIn('recv')
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    for (const text of ['two\n', 'three\n']) {
      second.nothingYet()
      await first.send(text)
      await first.receive(text)
    }
    await second.receive(WELCOME)
    await first.send('four\n')
    await first.receive('four\n')
    await server.waitsIn('recv')
    second.nothingYet()
  },

  async 'stale-slot'(stage) {
    const server = await stage.serve('server', 'stale-slot.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    const second = await stage.connect('client 2', server)
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('hello\n')
    }
    await first.close()
    await server.line()
    await second.send('still there?\n')
    const third = await stage.connect('client 3', server)
    await server.waitsIn('recv')
    second.nothingYet()
    await third.send('hello\n')
    await third.receive('hello\n')
    await second.receive('still there?\n')
    await server.waitsIn('recv')
    await second.send('and now?\n')
    await third.send('hello again\n')
    await third.receive('hello again\n')
    await second.receive('and now?\n')
  },

  async 'whole-buffer'(stage) {
    const server = await stage.serve('server', 'whole-buffer.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('hello\n')
    await client.receive('hello\n'.padEnd(256, '\0'))
    await client.close()
  },

  async 'failed-accept'(stage) {
    const server = await stage.serve('server', 'failed-accept.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.send('hello\n')
    await first.receive('hello\n')
    forbidDescriptors(server)
    stage.transcript.add('server', '─', 'no descriptor is left')
    server.kill('SIGSTOP') // or it might end before the client knows that it is connected
    await stage.connect('client 2', server)
    server.kill('SIGCONT')
    await server.errorLine()
    await server.exit()
    await first.receiveEnd()
  },

  async 'one-line'(stage) {
    const server = await stage.serve('server', 'one-line.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    const second = await stage.connect('client 2', server)
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('hello\n')
    }
    await stopInEpollWait(server)
    await first.send('AAAA\n')
    await second.send('BBBBBBB\n')
    server.kill('SIGCONT')
    await first.receive('BBBBBBB\n')
    await second.receive('BBBBBBB\n')
  },

  async 'closed-then-changed'(stage) {
    const server = await stage.serve('server', 'closed-then-changed.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    const second = await stage.connect('client 2', server)
    for (const client of [first, second]) {
      await client.send('hello\n')
      await client.receive('hello\n')
    }
    await first.close()
    await server.errorLine()
    await server.exit()
    await second.receiveEnd()
  },

  async 'lost-rest'(stage) {
    const server = await stage.serve('server', 'lost-rest.broken.ts', 0)
    const { socket, ...client } = await stage.connect('client', server)
    socket.pause()
    const text = 'every byte of it\n'.repeat(500_000)
    await client.send(text)
    await client.halfClose()
    let received = 0
    socket.on('data', (chunk: Buffer) => (received += chunk.length))
    const end = once(socket, 'end')
    socket.resume()
    await within(end, 'the end of the stream')
    if (received === 0 || received >= text.length) throw new Error(`${received} bytes came back`)
    stage.transcript.add('client', '─', 'reads to the end: a part of it is missing')
  },

  async 'unchecked-bind'(stage) {
    const server = await stage.serve('server', 'epoll-server.ts', 0)
    const other = await stage.serve('another', 'unchecked-bind.broken.ts', server.address.port)
    if (other.address.port === server.address.port) throw new Error('two servers have one port')
    stage.transcript.add('another', '─', 'not the port that it was given, and not the address')
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('hello\n')
    await client.receive('hello\n')
    await client.close()
    await server.line()
  },

  async 'exercise-chat'(stage) {
    const server = await stage.serve('server', 'exercise-chat.ts', 0)
    const [first, second, third] = [
      await stage.connect('client 1', server),
      await stage.connect('client 2', server),
      await stage.connect('client 3', server),
    ]
    await server.lines(3)
    await first.send('hel')
    await second.send('hi\n')
    await first.receive('hi\n')
    await third.receive('hi\n')
    await first.send('lo\n')
    await second.receive('hello\n')
    await third.receive('hello\n')
    await third.close()
    await server.line()
    await second.send('who is left?\n')
    await first.receive('who is left?\n')
  },

  async 'exercise-idle-timeout'(stage) {
    const server = await stage.serve('server', 'exercise-idle-timeout.ts', 0, '127.0.0.1', 1000)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('hello\n')
    await second.receiveEnd()
    await server.line()
    await first.receiveEnd()
    await server.line()
  },

  async 'exercise-max-clients'(stage) {
    const server = await stage.serve('server', 'exercise-max-clients.ts', 0, '127.0.0.1', 1)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.receive('busy, come back later\n')
    await second.receiveEnd()
    await first.close()
    await server.line()
    const third = await stage.connect('client 3', server)
    await server.line()
    await third.send('hello\n')
    await third.receive('hello\n')
  },
}
