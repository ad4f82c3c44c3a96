import { type Scenarios, alone } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  async 'reversing-server'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('hello\n')
    await client.receive('olleh')
    await client.send('ab\ncd\n')
    await client.receive('badc')
    await client.send('hel')
    await client.send('lo\n')
    await client.receive('olleh')
    await client.send('\n')
    await client.send('a\0b\r\n')
    await client.receive('\rb\0a')
    await client.send('a last lin')
    await client.halfClose()
    await client.receive('nil tsal a')
    await client.receiveEnd()
    await server.line()
  },

  async 'second-client'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    await first.send('hello\n')
    await first.receive('olleh')
    second.nothingYet()
    await first.close()
    await server.lines(2)
    await second.receive('oot em')
  },

  async 'a-reset'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hello\n')
    await first.receive('olleh')
    await first.reset()
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('still there\n')
    await second.receive('ereht llits')
  },

  async 'long-line'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send(`first\n${'a'.repeat(65_536)}`)
    await client.receive('tsrif')
    await client.receiveEnd()
    await server.line()
  },

  async 'taken-port'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const other = stage.start('another', 'reversing-server.ts', server.address.port)
    await other.errorLine()
    await other.exit()
  },

  async 'one-recv-one-line'(stage) {
    const server = await stage.serve('server', 'one-recv-one-line.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('hel')
    await client.receive('eh')
    await client.send('lo\n')
    await client.receive('ol')
    await client.send('ab\ncd\n')
    await client.receive('dc\nba')
    await client.send('a last lin')
    await client.halfClose()
    await client.receive('il tsal a')
    await client.receiveEnd()
  },

  async 'unhandled-reset'(stage) {
    const server = await stage.serve('server', 'unhandled-reset.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.send('hello\n')
    await first.receive('hello\n')
    await first.reset()
    await server.errorLine()
    await server.exit()
    await stage.connect('client 2', server).then(
      () => {
        throw new Error('a server that has ended took a client')
      },
      (reason: NodeJS.ErrnoException) => stage.transcript.add('client 2', '─', `connect: ${reason.code}`),
    )
  },

  async 'full-buffer'(stage) {
    const server = await stage.serve('server', 'full-buffer.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('1234567')
    await client.receive('7654321')
    await client.send('12345678')
    await client.receive('7654321')
    await client.send('ab\0cd')
    await client.receive('ba')
    await client.close()
  },

  overrun: alone('overrun.ts'),

  async 'failed-length'(stage) {
    const server = await stage.serve('server', 'failed-length.broken.ts', 0)
    const first = await stage.connect('client 1', server)
    await first.send('my PIN is 4711\n')
    await first.receive('1174 si NIP ym')
    await first.close()
    const second = await stage.connect('client 2', server)
    await second.receive(`\0\0\0\0\0\n1174 si NIP ym`)
    await second.receiveEnd()
  },

  async 'two-at-once'(stage) {
    const server = await stage.serve('server', 'reversing-server-node.ts', 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('me too\n')
    await second.receive('oot em')
    await first.send('hello\n')
    await first.receive('olleh')
    stage.transcript.add('server', '─', 'SIGTERM')
    server.kill('SIGTERM')
    await first.receiveEnd()
    await second.receiveEnd()
    await server.lines(2)
    await server.exit()
  },

  async 'exercise-graphemes'(stage) {
    const server = await stage.serve('server', 'exercise-graphemes.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('中文\n')
    await client.receive('文中')
    await client.send('cafe\u0301 👩‍🚀\n')
    await client.receive('👩‍🚀 e\u0301fac')
    await client.close()
    await server.line()
  },

  async 'exercise-idle-timeout'(stage) {
    const server = await stage.serve('server', 'exercise-idle-timeout.ts', 0, '127.0.0.1', 300)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = await stage.connect('client 2', server)
    await second.send('me too\n')
    await second.halfClose()
    await first.receiveEnd()
    await server.lines(2)
    await second.receive('oot em')
    await second.receiveEnd()
    await server.line()
  },

  'exercise-accept-queue': alone('exercise-accept-queue.ts'),
}
