// What the page shows, and what happens for it.

import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  'long-and-short': aloneAsRoot('long-and-short.ts'),
  'gone-peer': aloneAsRoot('gone-peer.ts'),
  'connect-timeout': aloneAsRoot('connect-timeout.ts'),
  'full-queue': aloneAsRoot('full-queue.ts'),
  ports: aloneAsRoot('ports.ts'),
  'connections-node': alone('connections-node.ts'),

  async 'hand-over'(stage) {
    const old = await stage.serve('old', 'hand-over.ts', 0)
    const { port } = old.address
    const client = stage.start('client', 'exercise-steady-client.ts', port)
    await client.line()
    await stage.serve('new', 'hand-over.ts', port)
    await old.line()
    await client.line()
    await old.exit()
    client.endInput()
    await client.exit()
  },

  async 'with-a-gap'(stage) {
    const old = await stage.serve('old', 'hand-over.ts', 0)
    const { port } = old.address
    const client = stage.start('client', 'exercise-steady-client.ts', port)
    await client.line()
    old.kill('SIGTERM')
    await old.exit()
    await client.line()
    await stage.serve('new', 'hand-over.ts', port)
    await client.line()
    client.endInput()
    await client.exit()
  },
}
