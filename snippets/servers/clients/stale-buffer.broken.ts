// Wrong on purpose: prints the buffer, not what recv has put into it.
// usage: node stale-buffer.broken.ts ADDRESS PORT LINE ...

import { AF_INET, SOCK_STREAM, close, connect, recv, send, sockaddr_in, socket } from '#posix'

const [host, port, ...lines] = process.argv.slice(2)
const fd = socket(AF_INET, SOCK_STREAM, 0)
connect(fd, sockaddr_in(host!, Number(port)))

const buffer = Buffer.alloc(1024)
for (const line of lines) {
  const bytes = Buffer.from(`${line}\n`)
  send(fd, bytes, bytes.length, 0)
  // recv returns a count, but here a zero byte has to tell where the text ends.
  recv(fd, buffer, buffer.length, 0)
  console.log(`received: ${buffer.subarray(0, buffer.indexOf(0))}`)
}
close(fd)
