// The source's listing: what it does, and what it cannot survive.

import { type Scenarios, alone } from '../../support/recordings.ts'
import { connectDeaf } from './deaf.ts'

const server = 'cookbook-server.broken.ts'

export const faults: Scenarios = {
  async 'cookbook-server'(stage) {
    const program = await stage.serve('server', server, 0)
    const first = await stage.connect('client 1', program)
    await program.line()
    const second = await stage.connect('client 2', program)
    await program.line()
    await first.send('hel')
    await second.send('one\ntwo\n\n')
    await second.receive('GOT:one\nGOT:two\nGOT:\n')
    await first.send('lo\n')
    await first.receive('GOT:hello\n')
    await first.send('par')
    await first.halfClose()
    await first.receive('GOT:par')
    await first.receiveEnd()
    await program.line()
  },

  async 'cookbook-reset'(stage) {
    const program = await stage.serve('server', server, 0)
    const first = await stage.connect('client 1', program)
    await program.line()
    const second = await stage.connect('client 2', program)
    await program.line()
    await first.send('hello\n')
    await first.receive('GOT:hello\n')
    await second.reset()
    await program.exit()
    await first.receiveEnd()
  },

  async 'cookbook-deaf'(stage) {
    const program = await stage.serve('server', server, 0)
    const client = await stage.connect('client', program)
    await program.line()
    await client.send('one\n')
    await client.receive('GOT:one\n')
    const deaf = connectDeaf(stage, 'deaf', program)
    try {
      await program.line()
      await deaf.untilInSend()
      await client.send('two\n')
      await program.waitsIn('send')
      client.nothingYet()
    } finally {
      program.kill('SIGTERM') // first: the reset would wake it
      await program.ended
      deaf.destroy()
    }
  },

  async 'cookbook-restart'(stage) {
    const program = await stage.serve('server', server, 0)
    const client = await stage.connect('client', program)
    await program.line()
    program.kill('SIGTERM')
    await program.exit()
    await client.receiveEnd()
    await client.close()
    await stage.start('server', server, program.address.port).exit()
  },

  async 'two-readers'(stage) {
    const program = stage.start('program', 'two-readers.broken.ts')
    await program.lines(3)
    await program.waitsIn('select')
    program.kill('SIGTERM')
    await program.exit()
  },

  'descriptor-1024': alone('descriptor-1024.broken.ts'),
  'closed-meanwhile': alone('closed-meanwhile.broken.ts'),
}
