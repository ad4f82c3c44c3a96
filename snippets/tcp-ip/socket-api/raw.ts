// A raw socket: one ICMP echo over the loopback interface, as ping
// sends it, byte by byte. Needs CAP_NET_RAW.

import {
  AF_INET,
  IPPROTO_ICMP,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVTIMEO,
  close,
  inet_ntop,
  recv,
  sendto,
  setsockopt,
  sockaddr_in,
  socket,
  timeval,
} from '#posix'

const ECHO_REPLY = 0
const ECHO_REQUEST = 8

try {
  // #region socket
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
  // A host may be set to answer no echo.
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(2000))
  // #endregion socket

  // #region request
  // RFC 792: type, code, checksum, identifier, sequence number, then
  // data of our choice.
  const data = Buffer.from('hello')
  const request = Buffer.alloc(8 + data.length)
  request.writeUInt8(ECHO_REQUEST, 0)
  request.writeUInt16BE(process.pid & 0xff_ff, 4)
  request.writeUInt16BE(1, 6)
  request.set(data, 8)
  request.writeUInt16BE(checksum(request), 2)
  sendto(fd, request, request.length, 0, sockaddr_in('127.0.0.1', 0)) // ICMP has no ports
  console.log(`sent an echo request of ${request.length} bytes`)
  // #endregion request

  // #region reply
  // A raw socket of ICMP gets every ICMP packet that the host receives,
  // on the loopback interface our own request among them.
  const packet = Buffer.alloc(65_535)
  for (;;) {
    const bytes = packet.subarray(0, recv(fd, packet, packet.length, 0))
    const headerLength = (bytes.readUInt8(0) & 0x0f) * 4
    const icmp = bytes.subarray(headerLength)
    const [type, id] = [icmp.readUInt8(0), icmp.readUInt16BE(4)]
    if (type !== ECHO_REPLY || id !== (process.pid & 0xff_ff)) continue
    const version = bytes.readUInt8(0) >> 4
    const protocol = bytes.readUInt8(9)
    const source = inet_ntop(AF_INET, bytes.subarray(12))
    const destination = inet_ntop(AF_INET, bytes.subarray(16))
    const sequence = icmp.readUInt16BE(6)
    console.log(`received ${bytes.length} bytes`)
    console.log(`the first is 0x${bytes.toString('hex', 0, 1)}`)
    console.log(`IP: version ${version}, header ${headerLength} bytes, protocol ${protocol}`)
    console.log(`from ${source} to ${destination}`)
    console.log(`ICMP: type ${type}, sequence ${sequence}, '${icmp.toString('utf8', 8)}'`)
    console.log(`checksum of the reply with its checksum: ${checksum(icmp)}`)
    break
  }
  // #endregion reply
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region checksum
/** RFC 1071: the ones' complement of the ones' complement sum of all 16-bit words. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
    sum = (sum & 0xff_ff) + (sum >> 16) // the carry comes back in at the low end
  }
  return ~sum & 0xff_ff
}
// #endregion checksum
