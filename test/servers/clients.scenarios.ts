import { once } from 'node:events'
import { type Scenarios, alone } from '../support/recordings.ts'
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

/** A host with two addresses, and the arguments of a client that tries them in this order. */
async function twoAddresses(
  stage: Stage,
  ...addresses: string[]
): Promise<{ host: Program; args: (string | number)[] }> {
  const host = await stage.serve('host', 'two-addresses.ts', 0)
  return { host, args: [host.address.port, ...addresses] }
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
    await client.waitsIn('recv')
    await server.waitsIn('recv')
    await client.waitsIn('recv')
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

  'connect-answers': alone('connect-answers.ts'),

  async pollout(stage) {
    await stage.run('client', 'pollout.broken.ts', '127.0.0.1', 1)
  },

  async 'poll-timeouts'(stage) {
    const full = await stage.serve('full', 'never-accepts.ts', 0)
    await stage.connect('client', full)
    const stalls = await stage.listen('stalls')
    // Both have their second at the same time.
    const first = stage.start('client 1', 'poll-timeouts.ts', ...at(full), 1000)
    const second = stage.start('client 2', 'poll-timeouts.ts', ...at(stalls), 1000)
    const peer = await stalls.accept()
    await peer.receive('drop by drop\n')
    await peer.send('pord')
    await first.errorLine()
    await first.exit()
    await second.errorLine()
    await second.exit()
  },

  async interrupted(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'interrupted.ts', ...at(server))
    const peer = await server.accept()
    const interrupt = (): void => {
      client.kill('SIGWINCH')
      stage.transcript.add('client', '─', 'SIGWINCH')
    }
    await client.waitsIn('recv')
    interrupt()
    await client.waitsIn('recv')
    await peer.send('x')
    await client.line()
    for (const call of ['recv', 'poll', 'connect'] as const) {
      await client.waitsIn(call)
      interrupt()
      await client.line()
    }
    await client.lines(5)
    await client.exit()
  },

  localhost: {
    where: 'in a network namespace', // where there is a ::1
    act: alone('localhost.ts'),
  },

  async 'happy-eyeballs'(stage) {
    const { args } = await twoAddresses(stage, '127.0.0.2', '127.0.0.1')
    const client = stage.start('client', 'happy-eyeballs.ts', ...args)
    await client.lines(4)
    await client.exit()
  },

  async 'happy-eyeballs-late'(stage) {
    const { args } = await twoAddresses(stage, '127.0.0.2', '127.0.0.3')
    const client = stage.start('client', 'happy-eyeballs.ts', ...args)
    await client.lines(4)
    await client.errorLine()
    await client.errorLine()
    await client.errorLine()
    await client.exit()
  },

  async abort(stage) {
    const full = await stage.serve('full', 'never-accepts.ts', 0)
    await stage.connect('client', full)
    const dripping = await stage.serve('dripping', 'dripping-server.ts', 0)
    // Both have their second at the same time.
    const first = stage.start('client 1', 'abort.ts', ...at(full), 1000)
    const second = stage.start('client 2', 'abort.ts', ...at(dripping), 1000)
    for (const client of [first, second]) {
      if (client === second) await client.line()
      await client.errorLine()
      await client.errorLine()
      await client.exit()
    }
  },

  async 'abort-by-hand'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'abort.ts', ...at(server), 60_000)
    const peer = await server.accept()
    await client.line()
    await peer.receive('drop by drop\n')
    client.kill('SIGINT')
    stage.transcript.add('client', '─', 'Ctrl+C')
    await client.errorLine()
    await client.errorLine()
    await client.exit()
    await peer.receiveEnd()
  },

  async 'abort-not-passed'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client', 'abort-not-passed.broken.ts', ...at(server))
    const peer = await server.accept()
    await peer.receive('hello\n')
    await client.line()
    peer.nothingYet()
    await peer.send('olleh')
    await peer.halfClose()
    await peer.receiveEnd()
    await client.exit()
  },

  async retry(stage) {
    const client = stage.start('client', 'retry.ts', '127.0.0.1', 1)
    await client.lines(11)
    await client.errorLine()
    await client.exit()
  },

  async 'retry-lost'(stage) {
    const server = await stage.listen('server')
    const client = stage.start('client 1', 'retry.ts', ...at(server))
    const first = await server.accept()
    await first.receive('hello\n')
    await first.reset()
    await client.lines(2)
    const second = await server.accept()
    await second.receive('hello\n')
    await second.send('olleh')
    await client.line()
    await client.exit()
    const careful = stage.start('client 2', 'retry.ts', ...at(server), 'once')
    const third = await server.accept()
    await third.receive('hello\n')
    await third.reset()
    await careful.line()
    await careful.errorLine()
    await careful.exit()
  },

  async 'retry-at-once'(stage) {
    const client = stage.start('client', 'retry-at-once.broken.ts', '127.0.0.1', 1)
    await client.line()
    await client.exit()
  },

  herd: alone('herd.ts'),

  async 'exercise-happy-eyeballs'(stage) {
    const { host, args } = await twoAddresses(stage, '127.0.0.2', '127.0.0.3')
    const client = stage.start('client', 'exercise-happy-eyeballs.ts', ...args)
    await client.lines(3)
    host.type('\n')
    await client.line()
    await client.exit()
  },
}
