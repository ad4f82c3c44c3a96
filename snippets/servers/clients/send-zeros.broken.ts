// Wrong on purpose: sends 1,024 zero bytes to a server of lines, and waits for a reply.
// usage: node send-zeros.broken.ts ADDRESS PORT

import { AF_INET, SOCK_STREAM, close, connect, recv, send, sockaddr_in, socket } from '#posix'

const fd = socket(AF_INET, SOCK_STREAM, 0)
connect(fd, sockaddr_in(process.argv[2]!, Number(process.argv[3])))

const buffer = Buffer.alloc(1024)
send(fd, buffer, buffer.length, 0) // no newline, so for the server the line has not ended
recv(fd, buffer, buffer.length, 0) // ... and for us it is the server's turn

console.log(`received: ${buffer}`)
close(fd)
