// What the page shows, and what happens for it.

import { type Act, type Scenarios, alone } from '../support/recordings.ts'

/** Two clients side by side: the line of the first is not whole yet when the second is answered. */
function twoClients(file: string, ...args: string[]): Act {
  return async (stage) => {
    const server = await stage.serve('server', file, ...args, 0)
    const first = await stage.connect('client 1', server)
    await server.line()
    await first.send('hel')
    const second = await stage.connect('client 2', server)
    await server.line()
    await second.send('one\ntwo\n')
    await second.receive('GOT:one\nGOT:two\n')
    await second.close()
    await server.line()
    await first.send('lo\n')
    await first.receive('GOT:hello\n')
    server.kill('SIGTERM')
    await first.receiveEnd()
    await server.exit()
  }
}

export const scenarios: Scenarios = {
  'what-await-does': alone('what-await-does.ts'),
  'await-server': twoClients('await-server.ts', 'epoll'),
  microtasks: alone('microtasks.ts'),
  'net-server': twoClients('net-server.ts'),
  abort: alone('abort.ts'),
  'exercise-scope': alone('exercise-scope.ts'),
}
