// Wrong on purpose: takes what one recv returns for the whole reply.
// usage: node one-recv.broken.ts ADDRESS PORT LINE ...

import { AF_INET, SOCK_STREAM, close, connect, recv, send, sockaddr_in, socket } from '#posix'

const [host, port, ...lines] = process.argv.slice(2)
const fd = socket(AF_INET, SOCK_STREAM, 0)
connect(fd, sockaddr_in(host!, Number(port)))

const buffer = Buffer.alloc(1024)
for (const line of lines) {
  const bytes = Buffer.from(`${line}\n`)
  send(fd, bytes, bytes.length, 0)
  const received = recv(fd, buffer, buffer.length, 0)
  console.log(`sent: ${line}, received: ${buffer.subarray(0, received)}`)
}
close(fd)
