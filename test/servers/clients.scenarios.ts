import { once } from 'node:events'
import type { Scenarios } from '../support/recordings.ts'
import type { Program } from '../support/program.ts'
import type { Stage } from '../support/stage.ts'

/** The server of page 2.2. */
function reversingServer(stage: Stage): Promise<Program> {
  return stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
}

/** Host and port, as a client takes them. */
function at({ address }: Pick<Program, 'address'>): [string, number] {
  return [address.host, address.port]
}

export const scenarios: Scenarios = {
  async 'reversing-client'(stage) {
    const server = await reversingServer(stage)
    const client = stage.start('client', 'reversing-client.ts', ...at(server))
    await client.lines(2)
    await server.line()
    client.type('hello\n')
    await client.line()
    client.type('\nhow are ')
    client.type('you\n')
    await client.line()
    client.endInput()
    await client.exit()
    await server.line()
  },

  async piped(stage) {
    const server = await reversingServer(stage)
    const client = stage.pipe('client', 'hello\nhow are you\n', 'reversing-client.ts', ...at(server))
    await client.lines(4)
    await client.exit()
  },

  async refused(stage) {
    const client = stage.start('client', 'reversing-client.ts', '127.0.0.1', 1)
    await client.line()
    await client.errorLine()
    await client.exit()
  },

  async 'closed-early'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'reversing-client.ts', ...at(server))
    const peer = await server.accept()
    await client.lines(2)
    client.type('hello\n')
    await peer.receive('hello\n')
    await peer.send('ol')
    await peer.halfClose()
    await client.errorLine()
    await client.exit()
  },

  async 'not-noticed'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'reversing-client.ts', ...at(server))
    const peer = await server.accept()
    await client.lines(2)
    await peer.reset()
    client.type('hello\n')
    await client.errorLine()
    await client.exit()
  },

  async 'noticed-at-once'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'reversing-client-node.ts', ...at(server))
    const peer = await server.accept()
    await client.line()
    await peer.reset()
    await client.errorLine()
    await client.exit()
  },

  async 'reversing-client-node'(stage) {
    const server = await reversingServer(stage)
    const client = stage.pipe('client', 'hello\n\nhow are you\n', 'reversing-client-node.ts', ...at(server))
    await client.lines(3)
    await client.exit()
    await server.lines(2)
  },

  async 'busy-server'(stage) {
    const server = await reversingServer(stage)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = stage.start('client 2', 'timeouts.ts', ...at(server))
    await second.lines(2)
    await second.errorLine()
    await second.exit()
    await first.send('hello\n')
    await first.receive('olleh')
  },

  async 'full-queue'(stage) {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    const first = stage.start('client 1', 'timeouts.ts', ...at(server))
    await first.lines(2)
    await first.errorLine()
    await first.exit()
    const second = stage.start('client 2', 'timeouts.ts', ...at(server))
    await second.errorLine()
    await second.exit()
  },

  async 'send-timeout'(stage) {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    const client = stage.start('client', 'send-timeout.ts', ...at(server))
    await client.line()
    await client.errorLine()
    await client.exit()
  },

  async dripping(stage) {
    const server = await stage.serve('server', 'dripping-server.ts', 0)
    const client = stage.start('client', 'timeouts.ts', ...at(server), 1000)
    await client.lines(4)
    await client.exit()
  },

  async 'timeouts-node'(stage) {
    const server = await reversingServer(stage)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = stage.start('client 2', 'timeouts-node.ts', ...at(server))
    await second.line()
    await second.errorLine()
    await second.exit()
    await first.send('hello\n')
    await first.receive('olleh')
  },

  async 'full-queue-node'(stage) {
    const server = await stage.serve('server', 'never-accepts.ts', 0)
    await stage.connect('client 1', server)
    const second = stage.start('client 2', 'timeouts-node.ts', ...at(server))
    await second.errorLine()
    await second.exit()
  },

  async 'timeout-event'(stage) {
    const server = await reversingServer(stage)
    const first = await stage.connect('client 1', server)
    await server.line()
    const second = stage.start('client 2', 'timeout-event.broken.ts', ...at(server))
    await second.line()
    await first.close()
    await server.lines(2)
    await second.line()
    await second.exit()
  },

  async 'send-zeros'(stage) {
    const server = await reversingServer(stage)
    const client = stage.start('client', 'send-zeros.broken.ts', ...at(server))
    await server.line()
    await client.waitsInRecv()
    await server.waitsInRecv()
    await client.waitsInRecv()
    client.kill('SIGTERM')
    await client.exit()
    await server.line()
  },

  async 'one-recv'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'one-recv.broken.ts', ...at(server), 'hello', 'good')
    const peer = await server.accept()
    await peer.receive('hello\n')
    await peer.send('ol')
    await client.line()
    await peer.receive('good\n')
    await peer.send('lehdoog')
    await client.line()
    await client.exit()
  },

  async 'stale-buffer'(stage) {
    const server = await reversingServer(stage)
    const client = stage.start('client', 'stale-buffer.broken.ts', ...at(server), 'goodbye', 'hi')
    await client.lines(2)
    await client.exit()
  },

  async 'exercise-half-close'(stage) {
    const server = await reversingServer(stage)
    const client = stage.pipe('client', 'hello\na last lin', 'exercise-half-close.ts', ...at(server))
    await client.line()
    await client.exit()
    await server.lines(2)
  },

  async 'exercise-half-close-both-send'(stage) {
    const server = await reversingServer(stage)
    const client = stage.start('client', 'exercise-half-close.ts', ...at(server))
    await server.line()
    stage.transcript.add('client', '─', 'types a long text')
    const line = Buffer.from(`${'0123456789'.repeat(100)}\n`)
    const text = Buffer.alloc(64 * 1024 * line.length, line)
    client.stdin.write(text)
    await client.errorLine()
    await client.exit()
    if (!client.stdin.closed) await once(client.stdin, 'close')
  },

  async 'exercise-deadline'(stage) {
    const server = await stage.serve('server', 'dripping-server.ts', 0)
    const client = stage.start('client', 'exercise-deadline.ts', ...at(server))
    await client.errorLine()
    await client.exit()
  },

  async 'exercise-port-check'(stage) {
    const server = await reversingServer(stage)
    const silent = await stage.serve('silent', 'never-accepts.ts', 0)
    await stage.connect('client', silent)
    const ports = [server.address.port, 1, silent.address.port]
    const checker = stage.start('checker', 'exercise-port-check.ts', '127.0.0.1', ...ports)
    await checker.lines(3)
    await checker.exit()
  },
}
