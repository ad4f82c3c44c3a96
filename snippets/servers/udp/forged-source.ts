// The source address of a datagram is what the sender says it is.
// Four parties in one program: a server that likes to talk, an
// echo server, a victim, and a forger, which needs to be root:
// usage: unshare -Urn node forged-source.ts, or sudo "$(which node)" forged-source.ts

import {
  AF_INET,
  IPPROTO_RAW,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  bind,
  close,
  endpoint,
  format,
  getsockname,
  inet_pton,
  recvfrom,
  sendto,
  setInterfaceUp,
  sockaddr_in,
  socket,
} from '#posix'

const ECHOES = 1000
// What the talkative server answers
const STATUS = Buffer.alloc(4000, 'all is well. ')

try {
  const rawFd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
  setInterfaceUp('lo') // in a new network it is down
  const [serverFd, victimFd] = [open(), open()]
  const [server, victim] = [own(serverFd), own(victimFd)]
  const buf = Buffer.alloc(65_536)
  const peer = sockaddr_in('0.0.0.0', 0)

  // #region amplified
  const request = forged(victim, server, 'status')
  sendto(rawFd, request, request.length, 0, server)
  let length = recvfrom(serverFd, buf, buf.length, 0, peer)
  const claim = format(peer) === format(victim) ? 'the victim' : 'somebody else'
  console.log(`the server has '${buf.toString('utf8', 0, length)}', ${length} bytes from ${claim}`)
  sendto(serverFd, STATUS, STATUS.length, 0, peer)
  length = recvfrom(victimFd, buf, buf.length, 0, peer)
  console.log(`the victim has ${length} bytes that it did not ask for`)
  // #endregion amplified

  // #region unanswerable
  const unanswerable = forged(sockaddr_in('127.0.0.1', 0), server, 'hello')
  sendto(rawFd, unanswerable, unanswerable.length, 0, server)
  length = recvfrom(serverFd, buf, buf.length, 0, peer)
  console.log(`the server has ${length} bytes from ${format(peer)}`)
  try {
    sendto(serverFd, buf, length, 0, peer)
  } catch (error) {
    console.log((error as Error).message)
  }
  // #endregion unanswerable

  // #region loop
  const fromItself = forged(server, server, 'hello')
  sendto(rawFd, fromItself, fromItself.length, 0, server)
  let echoes = 0
  while (echoes < ECHOES) {
    length = recvfrom(serverFd, buf, buf.length, 0, peer)
    // An echo server answers whoever asks.
    sendto(serverFd, buf, length, 0, peer)
    echoes++
  }
  console.log(`the echo server has answered itself ${echoes} times, and it would go on`)
  // #endregion loop

  for (const fd of [rawFd, serverFd, victimFd]) close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region forged
/**
 * An IPv4 packet with a UDP datagram, whose source is whatever one
 * likes. RFC 791, RFC 768
 */
function forged(source: Buffer, destination: Buffer, text: string): Buffer {
  const [from, to] = [endpoint(source), endpoint(destination)]
  const packet = Buffer.alloc(28 + Buffer.byteLength(text))
  packet[0] = 0x45 // version 4, a header of five words
  packet.writeUInt16BE(packet.length, 2)
  packet[8] = 64 // time to live
  packet[9] = IPPROTO_UDP
  // The checksum at 10 is the kernel's work.
  packet.set(inet_pton(AF_INET, from.address), 12)
  packet.set(inet_pton(AF_INET, to.address), 16)
  packet.writeUInt16BE(from.port!, 20)
  packet.writeUInt16BE(to.port!, 22)
  packet.writeUInt16BE(packet.length - 20, 24)
  packet.write(text, 28) // the checksum at 26 stays 0: none
  return packet
}
// #endregion forged

function open(): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(fd, sockaddr_in('127.0.0.1', 0))
  return fd
}

function own(fd: number): Buffer {
  return getsockname(fd, sockaddr_in('0.0.0.0', 0))
}
