// Wrong on purpose: the counting runs on the event loop, which serves nobody meanwhile.
// usage: node primes-on-the-loop.broken.ts PORT

import { type AddressInfo, type Socket, createServer } from 'node:net'
import { createInterface } from 'node:readline'

// #region serve
async function serve(socket: Socket): Promise<void> {
  for await (const line of createInterface({ input: socket })) {
    console.log(`counting the primes below ${line}`)
    const primes = countPrimes(Number(line))
    console.log(`below ${line}: ${primes}`)
    socket.write(`${primes}\n`)
  }
}
// #endregion serve

function countPrimes(below: number): number {
  let count = 0
  for (let n = 2; n < below; n++) if (isPrime(n)) count++
  return count
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}

const server = createServer((socket) => {
  console.log('accepted a client')
  socket.on('error', () => {})
  void serve(socket)
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`)
})
