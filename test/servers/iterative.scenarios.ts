import type { Scenarios } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  async 'reversing-server'(stage) {
    const server = await stage.serve('server', 'reversing-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('hello\n')
    await client.receive('olleh')
    await client.send('ab\ncd\n')
    await client.receive('badc')
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
}
