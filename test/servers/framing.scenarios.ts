import type { Scenarios } from '../support/recordings.ts'
import type { Program } from '../support/program.ts'

/** Host and port, as a client takes them. */
function at({ address }: Pick<Program, 'address'>): [string, number] {
  return [address.host, address.port]
}

export const scenarios: Scenarios = {
  async coalesce(stage) {
    await stage.run('program', 'coalesce.ts')
  },

  async split(stage) {
    await stage.run('program', 'split.ts')
  },

  async 'timeout-ends-message'(stage) {
    const server = await stage.serve('server', 'timeout-ends-message.broken.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('hel')
    await client.receive('HEL')
    await client.send('lo')
    await client.receive('LO')
    await client.close()
    await server.exit()
  },

  async 'line-server'(stage) {
    const server = await stage.serve('server', 'line-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('hello\n')
    await client.receive('HELLO\r\n')
    await client.send('how are')
    await client.send(' you\r')
    await client.send('\n\nstraße\nno end')
    await client.receive('HOW ARE YOU\r\n')
    await client.receive('\r\n')
    await client.receive('STRASSE\r\n')
    await client.halfClose()
    await client.receiveEnd()
    await server.line()
  },

  async 'line-client'(stage) {
    const server = await stage.serve('server', 'line-server.ts', 0)
    const client = stage.start('client', 'line-client.ts', ...at(server), 'hello', 'straße', 'bye')
    await server.line()
    await client.lines(3)
    await client.exit()
    await server.line()
  },

  async 'length-server'(stage) {
    const server = await stage.serve('server', 'length-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('\0\0\0\x05hello')
    await client.receive('\0\0\0\x05HELLO')
    await client.send('\0\0')
    await client.send('\0\x0bhow a')
    await client.send('re you\0\0\0\0\0\0\0\x05two\n2')
    await client.send('\0\0\0\x07straße')
    await client.receive('\0\0\0\x0bHOW ARE YOU')
    await client.receive('\0\0\0\0')
    await client.receive('\0\0\0\x05TWO\n2')
    await client.receive('\0\0\0\x07STRASSE')
    await client.send('\0\0\0\x05unf')
    await client.halfClose()
    await client.receiveEnd()
    await server.line()
  },

  async 'rude-length'(stage) {
    const server = await stage.serve('server', 'length-server.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send(Buffer.from('\0\0\0\x05hello\xff\xff\xff\xff', 'latin1'))
    await client.receive('\0\0\0\x05HELLO')
    await client.receiveEnd()
    await server.line()
  },

  async 'length-client'(stage) {
    const server = await stage.serve('server', 'length-server.ts', 0)
    const client = stage.start('client', 'length-client.ts', ...at(server), 'hello', 'straße', 'bye')
    await server.line()
    await client.lines(3)
    await client.exit()
    await server.line()
  },

  async 'framing-fuzz'(stage) {
    await stage.run('program', 'framing-fuzz.ts')
  },

  async 'chunk-is-message'(stage) {
    await stage.run('program', 'chunk-is-message.broken.ts')
  },

  async 'split-crlf'(stage) {
    await stage.run('program', 'split-crlf.broken.ts')
  },

  async 'utf8-by-read'(stage) {
    await stage.run('program', 'utf8-by-read.broken.ts')
  },

  async 'split-prefix'(stage) {
    await stage.run('program', 'split-prefix.broken.ts')
  },

  async 'signed-length'(stage) {
    await stage.run('program', 'signed-length.broken.ts')
  },

  async 'trusted-length'(stage) {
    await stage.run('program', 'trusted-length.broken.ts')
  },

  async 'lost-before-error'(stage) {
    await stage.run('program', 'lost-before-error.broken.ts')
  },

  async 'decode-transform-node'(stage) {
    const server = await stage.serve('server', 'decode-transform-node.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('hel')
    await client.send('lo\r\nbye\n')
    await client.receive('HELLO\r\nBYE\r\n')
    await client.send(`first\nsecond\n${'x'.repeat(65_536)}`)
    await client.receive('FIRST\r\nSECOND\r\n')
    await client.receiveEnd()
    await server.line()
  },

  async 'decode-iterator-node'(stage) {
    const server = await stage.serve('server', 'decode-iterator-node.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.send('\0\0\0')
    await client.send('\x05hello\0\0\0\x03bye\0\0\0\x05unf')
    await client.receive('\0\0\0\x05HELLO\0\0\0\x03BYE')
    await client.halfClose()
    await client.receiveEnd()
    await server.line()
  },

  async 'backpressure-node'(stage) {
    await stage.run('program', 'backpressure-node.ts')
  },

  async 'no-drain'(stage) {
    await stage.run('program', 'no-drain.broken.ts')
  },

  async 'stream-pitfalls-node'(stage) {
    await stage.run('program', 'stream-pitfalls-node.ts')
  },

  async 'unheard-error'(stage) {
    const server = await stage.serve('server', 'unheard-error.broken.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.reset()
    await server.errorLine()
    await server.exit()
  },

  async 'readline-node'(stage) {
    await stage.run('program', 'readline-node.ts')
  },

  async 'exercise-netstrings'(stage) {
    await stage.run('program', 'exercise-netstrings.ts')
  },

  async 'exercise-resync'(stage) {
    await stage.run('program', 'exercise-resync.ts')
  },

  async 'exercise-message-limit-node'(stage) {
    const server = await stage.serve('server', 'exercise-message-limit-node.ts', 0)
    const client = await stage.connect('client', server)
    await client.send('one\ntwo\nthree\nfour\nfive\n')
    await client.receive('ONE\r\nTWO\r\nTHREE\r\n')
    await client.receiveEnd()
    await server.line()
    await client.send('six\n')
    await client.close()
  },
}
