// The framework of the page under what the listing could not survive, and what else it can do.

import { type Scenarios, alone } from '../../support/recordings.ts'
import { connectDeaf } from './deaf.ts'

export const cures: Scenarios = {
  generators: alone('generators.ts'),
  'typed-yield': alone('typed-yield.ts'),
  cures: alone('cures.ts'),
  structured: alone('structured.ts'),
  backpressure: alone('backpressure.ts'),

  async 'echo-server'(stage) {
    const first = await stage.serve('server', 'echo-server.ts', 'epoll', 0)
    const client = await stage.connect('client', first)
    await first.line()
    await client.send('one\n')
    await client.receive('GOT:one\n')

    const hasty = await stage.connect('hasty', first)
    await first.line()
    await hasty.reset()
    await first.line()
    await client.send('two\n')
    await client.receive('GOT:two\n')

    const deaf = connectDeaf(stage, 'deaf', first)
    try {
      await first.line()
      await deaf.untilHeldBack()
      await client.send('three\n')
      await client.receive('GOT:three\n')
    } finally {
      deaf.reset()
    }
    await first.line()

    const endless = await stage.connect('endless', first)
    await first.line()
    await endless.send('a'.repeat(65_536))
    await first.line()
    await endless.receiveEnd()
    await client.send('par')
    await client.halfClose()
    await client.receive('GOT:par')
    await client.receiveEnd()
    await first.line()

    const last = await stage.connect('last', first)
    await first.line()
    first.kill('SIGTERM')
    await first.exit()
    await last.receiveEnd()
    await last.close()
    await stage.serve('server', 'echo-server.ts', 'epoll', first.address.port)
  },

  async 'exercise-chat'(stage) {
    const server = await stage.serve('server', 'exercise-chat.ts', 0)
    const ann = await stage.connect('ann', server)
    await server.line()
    const bob = await stage.connect('bob', server)
    await server.line()
    const cat = await stage.connect('cat', server)
    await server.line()
    await ann.send('hel')
    await bob.send('hi all\n')
    await ann.receive('hi all\n')
    await cat.receive('hi all\n')
    await ann.send('lo\n')
    await bob.receive('hello\n')
    await cat.receive('hello\n')
    await cat.reset()
    await server.line()
    await bob.send('bye\n')
    await ann.receive('bye\n')
    await bob.halfClose()
    await bob.receiveEnd()
    await server.line()
  },

  async 'exercise-limit-wait'(stage) {
    const server = await stage.serve('server', 'exercise-limit.ts', 'wait', 0)
    const [first, second] = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
    await server.lines(2)
    const third = await stage.connect('client 3', server)
    await third.send('me too\n')
    await first.send('hello\n')
    await first.receive('hello\n')
    await second.send('hello\n')
    await second.receive('hello\n')
    third.nothingYet()
    await first.reset()
    await server.lines(2)
    await third.receive('me too\n')
  },

  async 'exercise-limit-tell'(stage) {
    const server = await stage.serve('server', 'exercise-limit.ts', 'tell', 0)
    const first = await stage.connect('client 1', server)
    await stage.connect('client 2', server)
    await server.lines(2)
    const third = await stage.connect('client 3', server)
    await third.receive('busy\n')
    await third.receiveEnd()
    await server.line()
    await first.close()
    await server.line()
    const fourth = await stage.connect('client 4', server)
    await server.line()
    await fourth.send('hello\n')
    await fourth.receive('hello\n')
  },

  'exercise-fair': alone('exercise-fair.ts'),
}
