import { untilWaitsIn } from '../support/blocked.ts'
import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'
import type { Stage } from '../support/stage.ts'
import { within } from '../support/within.ts'
import { datagramPeer, lossyPath, requestsOf } from './udp/peer.ts'

/** An echo client, in front of a server that the scenario plays. */
async function played(stage: Stage, file: string, header = 4, ...args: number[]) {
  const peer = await datagramPeer(stage, 'server')
  const client = stage.start('client', file, peer.address.host, peer.address.port, ...args)
  return { peer, client, requests: requestsOf(peer, header) }
}

/** What a client says, typed a line at a time; each line is answered before the next. */
async function conversation(stage: Stage, serverFile: string, clientFile: string): Promise<void> {
  const server = await stage.serve('server', serverFile, 0)
  const client = stage.start('client', clientFile, server.address.host, server.address.port)
  for (const line of ['hello', '', 'how are you']) {
    client.type(`${line}\n`)
    await server.line()
    await client.line()
  }
  client.endInput()
  await client.exit()
}

export const scenarios: Scenarios = {
  async 'udp-echo-server'(stage) {
    const server = await stage.serve('server', 'udp-echo-server.ts', 0)
    await using first = await datagramPeer(stage, 'client 1')
    await using second = await datagramPeer(stage, 'client 2')
    await first.send('hello', server)
    await server.line()
    await first.receive('hello')
    await second.send('me too', server)
    await server.line()
    await second.receive('me too')
    await first.send('', server)
    await server.line()
    await first.receive('')
    await first.send(Buffer.alloc(65_507, 'a'), server)
    await server.line()
    await first.receive(Buffer.alloc(65_507, 'a'))
  },

  'udp-echo-client': (stage) => conversation(stage, 'udp-echo-server.ts', 'udp-echo-client.ts'),
  'udp-echo-node': (stage) => conversation(stage, 'udp-echo-server-node.ts', 'udp-echo-client-node.ts'),

  // A try that is to be answered has a second in which to be.
  async 'lost-request'(stage) {
    const { peer, client, requests } = await played(stage, 'udp-echo-client.ts')
    await using _ = peer
    client.type('hello\n')
    await requests.receive()
    stage.transcript.add('server', '─', 'as if it had not come')
    await client.line()
    await requests.answer(await requests.receive())
    await client.line()
    client.endInput()
    await client.exit()
  },

  async 'late-answer'(stage) {
    const { peer, client, requests } = await played(stage, 'udp-echo-client-node.ts')
    await using _ = peer
    client.type('one\n')
    const slow = await requests.receive()
    await client.line()
    await requests.answer(await requests.receive())
    await client.line()
    stage.transcript.add('server', '─', 'and now the answer to the first try')
    await requests.answer(slow)
    await client.line()
    client.type('two\n')
    const second = await requests.receive()
    await using stranger = await datagramPeer(stage, 'stranger')
    await stranger.sendAs(
      'answer to request 2: trust me',
      Buffer.concat([second.id, Buffer.from('trust me')]),
      second.datagram,
    )
    await requests.answer(second)
    await client.line()
    client.endInput()
    await client.exit()
  },

  async 'no-answer'(stage) {
    const { peer, client, requests } = await played(stage, 'udp-echo-client.ts', 4, 100)
    await using _ = peer
    client.type('hello\n')
    await requests.receive()
    for (let tries = 1; tries < 3; tries++) {
      await client.line()
      await requests.receive()
    }
    await client.line()
    await client.errorLine()
    await client.exit()
  },

  async 'nobody-there'(stage) {
    const client = stage.start('client', 'udp-echo-client.ts', '127.0.0.1', 1)
    client.type('hello\n')
    await client.errorLine()
    await client.exit()
  },

  'port-unreachable': alone('port-unreachable.ts'),
  'errors-node': alone('errors-node.ts'),
  truncation: alone('truncation.ts'),
  'slow-reader': alone('slow-reader.ts', 4096, 10_000, 10),
  'slow-reader-node': alone('slow-reader-node.ts'),
  broadcast: alone('broadcast.ts'),
  multicast: alone('multicast.ts'),
  'groups-node': alone('groups-node.ts'),
  'shared-port': alone('shared-port.ts'),

  // What only root may do
  'datagram-sizes': aloneAsRoot('datagram-sizes.ts'),
  'multicast-two-hosts': aloneAsRoot('multicast-two-hosts.ts'),
  'forged-source': { where: 'with raw sockets', act: alone('forged-source.ts') },

  async 'wrong-address'(stage) {
    const server = await stage.serve('server', 'wrong-address.broken.ts', 0)
    const { port } = server.address
    const first = stage.pipe('client 1', 'hello\n', 'udp-echo-client.ts', '127.0.0.1', port)
    await first.line()
    await first.exit()
    const second = stage.pipe('client 2', 'hello\n', 'udp-echo-client.ts', '127.0.0.2', port, 100)
    await second.lines(3)
    await second.errorLine()
    await second.exit()
  },

  async 'right-address'(stage) {
    const server = await stage.serve('server', 'right-address.ts', 0)
    const { port } = server.address
    for (const [lane, address] of [
      ['client 1', '127.0.0.1'],
      ['client 2', '127.0.0.2'],
    ] as const) {
      const client = stage.pipe(lane, 'hello\n', 'udp-echo-client.ts', address, port)
      await server.line()
      await client.line()
      await client.exit()
    }
  },

  async 'right-address-node'(stage) {
    const server = await stage.serve('server', 'right-address-node.ts', 0, '127.0.0.1', '127.0.0.2')
    await server.line()
    const client = stage.pipe('client', 'hello\n', 'udp-echo-client.ts', '127.0.0.2', server.address.port)
    await client.line()
    await client.exit()
  },

  async 'wait-for-ever'(stage) {
    await using server = await datagramPeer(stage, 'server')
    const client = stage.start('client', 'wait-for-ever.broken.ts', server.address.host, server.address.port, 'hello')
    await client.line()
    await server.receive('hello')
    stage.transcript.add('server', '─', 'as if it had not come')
    await untilWaitsIn('recv', client.pid, client.lane)
    stage.transcript.add('client', '─', 'waits in recv')
    stage.transcript.add('client', '─', 'SIGTERM')
    client.kill('SIGTERM')
    await client.exit()
  },

  async 'no-id'(stage) {
    await using server = await datagramPeer(stage, 'server')
    const client = stage.start('client', 'no-id.broken.ts', server.address.host, server.address.port, 1000)
    client.type('one\n')
    const first = await server.receive('one')
    await client.line()
    client.type('two\n')
    await server.receive('two')
    await server.send('one', first)
    await client.line()
    client.type('three\n')
    await server.receive('three')
    await server.send('two', first)
    await client.line()
  },

  async 'cut-short'(stage) {
    const server = await stage.serve('server', 'cut-short.broken.ts', 0)
    await using client = await datagramPeer(stage, 'client')
    await client.send('1000 1000 1000', server)
    await client.receive('3 amounts, 3000')
    await client.send('1000 1000 1000 100 200000 1000', server)
    await client.receive('5 amounts, 3102')
  },

  async 'zero-is-the-end'(stage) {
    const server = await stage.serve('server', 'zero-is-the-end.broken.ts', 0)
    await using client = await datagramPeer(stage, 'client')
    await client.send('hello', server)
    await client.receive('hello')
    await client.send('', server)
    await server.exit()
  },

  async 'no-error-handler'(stage) {
    await using collector = await datagramPeer(stage, 'collector')
    const program = stage.start('program', 'no-error-handler.broken.ts', collector.address.port)
    program.type('first job\n')
    await program.line()
    await collector.receive('jobs:1')
    stage.transcript.add('collector', '─', 'close')
    await collector.close()
    program.type('second job\n')
    await program.line()
    await within(program.ended, 'its end')
    // Node prints the place in its own code as well, which differs from one version to the next.
    const reason = program.unawaited().find((line) => line.startsWith('Error: '))
    stage.transcript.add('program', '!', `… ${reason}`)
    await program.exit()
  },

  async 'exercise-backoff'(stage) {
    const { peer, client, requests } = await played(stage, 'exercise-backoff.ts', 5)
    await using _ = peer
    client.type('one\n')
    await requests.answer(await requests.receive())
    await client.line()
    client.type('two\n')
    for (let tries = 1; tries < 3; tries++) {
      await requests.receive()
      await client.line()
    }
    await requests.answer(await requests.receive())
    await client.line()
    client.endInput()
    await client.exit()
  },

  async 'exercise-time-server'(stage) {
    const server = await stage.serve('server', 'exercise-time-server.ts', 0)
    await using client = await datagramPeer(stage, 'client')
    const padding = Buffer.alloc(24)
    await client.send('Q0001', server)
    await client.sendAs('Q0002 and 24 bytes of nothing', Buffer.concat([Buffer.from('Q0002'), padding]), server)
    const answer = await client.receiveAs(({ bytes }) => {
      if (!/^A0002\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(bytes.toString())) throw new Error(`${bytes}`)
      return `A0002 and the time, ${bytes.length} bytes`
    })
    await client.sendAs('the answer', answer.bytes, server)
    await client.sendAs('Q0003 and 24 bytes of nothing', Buffer.concat([Buffer.from('Q0003'), padding]), server)
    await client.receiveAs(({ bytes }) => {
      if (bytes.toString('latin1', 0, 5) !== 'A0003') throw new Error(`${bytes}`)
      return `A0003 and the time, ${bytes.length} bytes`
    })
  },

  async 'exercise-files'(stage) {
    const receiver = await stage.serve('receiver', 'exercise-receive-file.ts', 0)
    await using path = await lossyPath(stage.transcript, receiver.address)
    const { host, port } = path.address
    const sender = stage.start('sender', 'exercise-send-file.ts', host, port)
    stage.transcript.add('sender', '─', '20,000 bytes on its standard input')
    sender.stdin.end(Buffer.alloc(20_000, 'every third datagram is lost, and every third comes twice; '))
    stage.transcript.add('path', '─', 'of three datagrams one passes, one is lost, and one comes twice')
    await receiver.line()
    await sender.line()
    await sender.exit()
  },
}
