// Every call of the page, in the order of a connection's life, and what
// it returns. Both ends are in this process.

import {
  AF_INET,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  accept,
  bind,
  close,
  connect,
  endpoint,
  format,
  getpeername,
  getsockname,
  getsockoptInt,
  listen,
  recv,
  recvfrom,
  send,
  sendto,
  setsockopt,
  shutdown,
  sockaddr_in,
  sockaddr_storage,
  socket,
} from '#posix'

const buf = Buffer.alloc(100)
const peer = sockaddr_storage()

console.log('the server:')
const listenFd = socket(AF_INET, SOCK_STREAM, 0)
console.log(`socket(AF_INET, SOCK_STREAM, 0) → fd ${listenFd}, from here on listenFd`)

setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)
console.log(`setsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR, 1)`)
const reuse = getsockoptInt(listenFd, SOL_SOCKET, SO_REUSEADDR)
console.log(`getsockopt(listenFd, SOL_SOCKET, SO_REUSEADDR) → ${reuse}`)

const addr = sockaddr_in('127.0.0.1', 0)
bind(listenFd, addr)
console.log('bind(listenFd, 127.0.0.1:0)')

getsockname(listenFd, addr)
console.log(`getsockname(listenFd, addr) → ${format(addr)}`)

listen(listenFd, 5)
console.log('listen(listenFd, 5)')

console.log('\nthe client:')
const clientFd = socket(AF_INET, SOCK_STREAM, 0)
console.log(`socket(AF_INET, SOCK_STREAM, 0) → fd ${clientFd}, from here on clientFd`)

connect(clientFd, addr)
console.log(`connect(clientFd, ${format(addr)})`)

const clientAddr = getsockname(clientFd, sockaddr_storage())
console.log(`getsockname(clientFd, addr) → ${format(clientAddr)}; connect chose it`)

console.log('\nthe connection:')
const connFd = accept(listenFd, peer)
console.log(`accept(listenFd, peer) → fd ${connFd}, from here on connFd`)
console.log(`peer is ${format(peer)}`)
console.log(`the peer is the client: ${format(peer) === format(clientAddr)}`)

const connAddr = getsockname(connFd, sockaddr_storage())
const samePort = endpoint(connAddr).port === endpoint(addr).port
console.log(`connFd has the same local port as listenFd: ${samePort}`)

getpeername(clientFd, peer)
console.log(`getpeername(clientFd, peer) → ${format(peer)}`)

let count = send(clientFd, Buffer.from('ping'), 4, 0)
console.log(`send(clientFd, 'ping', 4, 0) → ${count}`)
count = recv(connFd, buf, 100, 0)
console.log(`recv(connFd, buf, 100, 0) → ${count}, '${buf.toString('utf8', 0, count)}'`)

console.log('\ntwo datagram sockets:')
const aFd = socket(AF_INET, SOCK_DGRAM, 0)
const bFd = socket(AF_INET, SOCK_DGRAM, 0)
const b = sockaddr_in('127.0.0.1', 0)
bind(bFd, b)
getsockname(bFd, b)
count = sendto(aFd, Buffer.from('pong'), 4, 0, b)
console.log(`sendto(aFd, 'pong', 4, 0, ${format(b)}) → ${count}`)
count = recvfrom(bFd, buf, 100, 0, peer)
const text = buf.toString('utf8', 0, count)
console.log(`recvfrom(bFd, buf, 100, 0, peer) → ${count}, '${text}'`)
console.log(`peer is ${format(peer)}`)

console.log('\nthe end:')
shutdown(clientFd, SHUT_WR)
console.log('shutdown(clientFd, SHUT_WR)')
count = recv(connFd, buf, 100, 0)
console.log(`recv(connFd, buf, 100, 0) → ${count}, the end of the stream`)
count = send(connFd, Buffer.from('bye'), 3, 0)
console.log(`send(connFd, 'bye', 3, 0) → ${count}, the other direction is open`)
count = recv(clientFd, buf, 100, 0)
console.log(`recv(clientFd, buf, 100, 0) → ${count}, '${buf.toString('utf8', 0, count)}'`)

for (const fd of [clientFd, connFd, listenFd, aFd, bFd]) close(fd)
console.log('close(clientFd), close(connFd), close(listenFd), close(aFd), close(bFd)')
