import { type Scenarios, alone } from '../support/recordings.ts'
import type { Program } from '../support/program.ts'

/** Host and port, as a client takes them. */
function at({ address }: Pick<Program, 'address'>): [string, number] {
  return [address.host, address.port]
}

export const scenarios: Scenarios = {
  coalesce: alone('coalesce.ts'),

  split: alone('split.ts'),

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

  'framing-fuzz': alone('framing-fuzz.ts'),

  'chunk-is-message': alone('chunk-is-message.broken.ts'),

  'split-crlf': alone('split-crlf.broken.ts'),

  'utf8-by-read': alone('utf8-by-read.broken.ts'),

  'split-prefix': alone('split-prefix.broken.ts'),

  'signed-length': alone('signed-length.broken.ts'),

  'trusted-length': alone('trusted-length.broken.ts'),

  'lost-before-error': alone('lost-before-error.broken.ts'),

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

  'backpressure-node': alone('backpressure-node.ts'),

  'no-drain': alone('no-drain.broken.ts'),

  'stream-pitfalls-node': alone('stream-pitfalls-node.ts'),

  async 'unheard-error'(stage) {
    const server = await stage.serve('server', 'unheard-error.broken.ts', 0)
    const client = await stage.connect('client', server)
    await server.line()
    await client.reset()
    await server.errorLine()
    await server.exit()
  },

  'readline-node': alone('readline-node.ts'),

  'exercise-netstrings': alone('exercise-netstrings.ts'),

  'exercise-resync': alone('exercise-resync.ts'),

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
