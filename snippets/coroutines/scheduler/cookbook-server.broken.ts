// Wrong on purpose: the echo server of the source's listing.
// usage: node cookbook-server.broken.ts PORT [HOST]

import { writeSync } from 'node:fs'
import { SOCK_STREAM, bind, family, format, getsockname, listen, sockaddr, socket } from '#posix'
import { Scheduler, Socket, type Steps, readline } from './cookbook.broken.ts'

const [port = '', host = '127.0.0.1'] = process.argv.slice(2)
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node cookbook-server.broken.ts PORT [HOST]')
  process.exit(2)
}

process.on('uncaughtException', (error) => {
  console.error(error.message)
  process.exit(1)
})

// #region cookbook-server
class EchoServer {
  readonly #sched: Scheduler

  constructor(addr: Buffer, sched: Scheduler) {
    this.#sched = sched
    sched.new(this.serverLoop(addr))
  }

  *serverLoop(addr: Buffer): Steps<void> {
    const listenFd = socket(family(addr), SOCK_STREAM, 0)
    const s = new Socket(listenFd)
    bind(listenFd, addr)
    listen(listenFd, 5)
    log(`listening on ${format(getsockname(listenFd, addr))}`)
    for (;;) {
      const [c, a] = (yield s.accept()) as [Socket, string]
      log(`Got connection from ${a}`)
      this.#sched.new(this.clientHandler(c))
    }
  }

  *clientHandler(client: Socket): Steps<void> {
    for (;;) {
      let line = yield* readline(client)
      if (line.length === 0) break
      line = Buffer.concat([Buffer.from('GOT:'), line])
      while (line.length > 0) {
        const nsent = (yield client.send(line)) as number
        line = line.subarray(nsent)
      }
    }
    client.close()
    log('Client closed')
  }
}
// #endregion cookbook-server

const sched = new Scheduler()
void new EchoServer(sockaddr(host, Number(port)), sched)
sched.run()

// console.log would keep what a full pipe does not take, as the event loop never turns.
function log(line: string): void {
  writeSync(1, `${line}\n`)
}
