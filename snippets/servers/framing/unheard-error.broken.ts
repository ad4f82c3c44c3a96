// Wrong on purpose: between accept and the loop, nobody listens for the errors of the
// socket.
// usage: node unheard-error.broken.ts PORT

import { type AddressInfo, type Socket, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'

const server = createServer(async (socket) => {
  try {
    await serve(socket)
  } catch (error) {
    console.log((error as Error).message)
  }
}).listen(Number(process.argv[2]), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`)
})

async function serve(socket: Socket): Promise<void> {
  console.log('asking the database')
  await setTimeout(60_000) // a slow one
  for await (const chunk of socket) socket.write(chunk)
}

process.on('uncaughtException', (error) => {
  console.error(`uncaught: ${error.message}`)
  process.exit(1)
})
