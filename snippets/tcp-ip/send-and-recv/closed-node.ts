// node:net, when the server closes: with everything read, and with something unread.

import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

await closes('everything was read', false)
await closes('something was not read', true)

// #region closes
async function closes(what: string, unread: boolean): Promise<void> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [accepted] = (await once(server, 'connection')) as [Socket]

  if (unread) {
    await written(client)
    const next = connect(port, '127.0.0.1')
    await once(next, 'connect') // what was sent before has arrived by then
    next.destroy()
  }
  const told = new Promise<string>((resolve) => {
    client.once('end', () => resolve('end')).once('error', (error) => resolve(codeOf(error)))
  })
  client.resume()
  accepted.destroy() // it does not read, so what has come stays unread
  console.log(`${what}: the client's event is ${await told}`)
  if (!unread) {
    client.on('error', () => {}) // the callback has it too
    console.log(`  the first write: ${await written(client)}`)
    let later = 'no error'
    while (later === 'no error') later = await written(client) // until the answer to it is here
    console.log(`  a later write: ${later}`)
  }
  client.destroy()
  server.close()
}
// #endregion closes

function written(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.write('hello', (error) => resolve(error ? codeOf(error) : 'no error'))
  })
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}
