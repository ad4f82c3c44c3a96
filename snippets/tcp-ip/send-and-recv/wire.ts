// What goes over the wire: the IPv4 packets that arrive on this machine's interfaces.
// packet(7), RFC 791, RFC 792, RFC 768, RFC 9293

import {
  AF_INET,
  AF_PACKET,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_DGRAM,
  bind,
  close,
  endpoint,
  getsockname,
  htons,
  poll,
  pollfds,
  sendto,
  sockaddr_in,
  socket,
  tryRecv,
} from '#posix'

const ETH_P_IP = 0x0800
const ICMP = 1
const TCP = 6
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'] // from the lowest bit up
const LIMIT = 5000 // ms

export interface Packet {
  /** The ports. A message of ICMP has those of the packet that it is about, turned round. */
  from: number
  to: number
  /** FIN, SYN, RST and ACK, or what a message of ICMP says. */
  flags: string[]
  /** How many bytes of data it carries. */
  bytes: number
  /** TCP's numbers: where it begins and the next one would, what it acknowledges, and the room. */
  tcp?: { seq: number; next: number; ack: number; window: number }
}

const buf = Buffer.alloc(65_536)

// #region open
/**
 * Opens a socket that is given a copy of each IPv4 packet that arrives. On loopback all do.
 * @throws EPERM without CAP_NET_RAW
 */
export function openWire(): number {
  return socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP))
}
// #endregion open

// #region packets
/** The packets of a port since the last call, with the acknowledgements that are still due. */
export function packets(wireFd: number, port: number): Packet[] {
  const seen: Packet[] = []
  const mark = sendMark()
  for (let marked = false; !marked || isDue(seen);) {
    const packet = nextPacket(wireFd)
    marked ||= packet.from === mark
    if (packet.from === port || packet.to === port) seen.push(packet)
  }
  return seen
}

/** Waits for a packet. */
export function nextPacket(wireFd: number): Packet {
  const waiting = pollfds(1)
  waiting.set(0, wireFd, POLLIN)
  if (poll(waiting, 1, LIMIT) === 0) throw new Error(`no packet within ${LIMIT} ms`)
  return decode(buf.subarray(0, tryRecv(wireFd, buf, buf.length, MSG_DONTWAIT)))
}

/** Sends a datagram to itself. When it arrives, so has all that was sent before. */
function sendMark(): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  bind(fd, sockaddr_in('127.0.0.1', 0))
  const own = getsockname(fd, sockaddr_in('127.0.0.1', 0))
  sendto(fd, Buffer.from('mark'), 4, 0, own)
  close(fd)
  return endpoint(own).port!
}

/** Whether something that was sent has no acknowledgement yet. After a reset none will come. */
function isDue(seen: Packet[]): boolean {
  if (seen.some(({ flags }) => flags.includes('RST'))) return false
  return seen.some(({ to, tcp }) => {
    if (tcp === undefined || tcp.next === tcp.seq) return false // UDP, or an ACK alone
    const acks = seen.filter((other) => other.from === to && other.flags.includes('ACK'))
    return !acks.some((other) => isFrom(tcp.next, other.tcp!.ack))
  })
}

/** Whether b is a or comes after it: the numbers are of 32 bits, and go round. RFC 9293, 3.4 */
function isFrom(a: number, b: number): boolean {
  return (b - a) >>> 0 < 2 ** 31
}
// #endregion packets

// #region decode
function decode(ip: Buffer): Packet {
  const protocol = ip[9]!
  const data = ip.subarray((ip[0]! & 0xf) * 4, ip.readUInt16BE(2))
  if (protocol === ICMP) {
    const unreachable = data[0] === 3 && data[1] === 3
    const about = decode(data.subarray(8)) // its header and 8 bytes: the ports are among them
    const says = unreachable ? 'port unreachable' : `ICMP ${data[0]}/${data[1]}`
    return { from: about.to, to: about.from, flags: [says], bytes: 0 }
  }
  const [from, to] = [data.readUInt16BE(0), data.readUInt16BE(2)]
  if (protocol !== TCP || data.length < 20) return { from, to, flags: [], bytes: data.length - 8 }
  const flags = FLAGS.filter((_, bit) => (data[13]! >> bit) & 1)
  const bytes = data.length - (data[12]! >> 4) * 4
  const counted = bytes + flags.filter((flag) => flag === 'SYN' || flag === 'FIN').length
  const seq = data.readUInt32BE(4)
  const [ack, window] = [data.readUInt32BE(8), data.readUInt16BE(14)]
  const tcp = { seq, next: (seq + counted) >>> 0, ack, window }
  return { from, to, flags, bytes, tcp }
}
// #endregion decode

/** `→ SYN, ← SYN ACK, → ACK`: the arrow is → towards the server. */
export function show(seen: Packet[], server: number): string {
  const texts = seen.map(({ from, flags, bytes }) => {
    const arrow = from === server ? '←' : '→'
    const sign = ['RST', 'FIN', 'SYN'].find((flag) => flags.includes(flag))
    const ack = flags.includes('ACK') ? 'ACK' : flags.join(' ')
    if (sign === 'SYN') return `${arrow} ${flags.join(' ')}`
    const data = bytes === 0 ? '' : bytes < 100 ? `${bytes} bytes` : 'data'
    return `${arrow} ${[data, sign].filter(Boolean).join(' ') || ack}`
  })
  if (texts.length === 0) return 'nothing'
  const some = texts.some((text) => text.endsWith('data')) // how many, is the kernel's affair
  return some ? `${[...new Set(texts)].join(', ')}, …` : texts.join(', ')
}
