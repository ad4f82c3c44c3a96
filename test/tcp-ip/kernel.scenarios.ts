// What the page shows, and what happens for it.

import { type Act, type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'
import { until } from '../support/within.ts'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  TIOCOUTQ,
  accept4,
  bind,
  close,
  connect,
  endpoint,
  getsockname,
  ioctl,
  linger,
  listen,
  recv,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from '#posix'

/** Addresses of this machine that no other test uses, so that the ports there are ours. */
export const host = '127.0.77.1'
const clientHost = '127.0.77.2'

/**
 * Sockets whose state stays what it is: one that listens, and a client that has sent 5 bytes. It was not accepted; or it was, and has closed.
 */
export async function withSockets<T>(client: 'waits' | 'has closed', act: (port: number) => Promise<T>): Promise<T> {
  const listenFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  const clientFd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
  const fds = [listenFd, clientFd]
  try {
    bind(listenFd, sockaddr_in(host, 0))
    listen(listenFd, 8)
    const address = getsockname(listenFd, sockaddr_in(host, 0))
    bind(clientFd, sockaddr_in(clientHost, 0))
    connect(clientFd, address)
    send(clientFd, Buffer.from('hello'), 5, 0)
    const unacknowledged = Buffer.alloc(4)
    const acknowledged = (): boolean =>
      ioctl(clientFd, TIOCOUTQ, unacknowledged) === 0 && unacknowledged.readInt32LE() === 0
    await until(acknowledged, 'the acknowledgement') // of which no event tells
    if (client === 'has closed') {
      const connFd = accept4(listenFd, undefined, SOCK_CLOEXEC)
      fds.push(connFd)
      setsockopt(connFd, SOL_SOCKET, SO_LINGER, linger(true, 0)) // ends with a reset: no TIME_WAIT is left at the port
      recv(connFd, Buffer.alloc(5), 5, 0)
      close(fds.splice(fds.indexOf(clientFd), 1)[0]!)
      recv(connFd, Buffer.alloc(1), 1, 0) // waits for the end
    }
    return await act(endpoint(address).port!)
  } finally {
    for (const fd of fds) close(fd)
  }
}

/** Lists those sockets. */
function listing(client: Parameters<typeof withSockets>[0], ...states: string[]): Act {
  return (stage) =>
    withSockets(client, async (port) => {
      stage.transcript.ports.add(port)
      await stage.run('program', 'ss.ts', ...states, port, host)
    })
}

export const scenarios: Scenarios = {
  btf: { where: 'with BTF', act: alone('btf.ts', 'sock_type', 'socket_state') },
  'proc-net-tcp': aloneAsRoot('proc-net-tcp.ts'),
  descriptor: alone('descriptor.ts'),
  places: alone('places.ts'),
  ss: listing('waits'),
  'exercise-left-open': listing('has closed', 'CLOSE_WAIT'),
  async 'who-node'(stage) {
    const server = await stage.servePeer('server', 'servers/iterative', 'reversing-server.ts', 0)
    await stage.run('who', 'who-node.ts', server.address.port)
  },
}
