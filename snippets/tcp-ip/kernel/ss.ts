// The TCP sockets of this network, as the kernel lists them by netlink. sock_diag(7)
// usage: node ss.ts [STATE] [PORT [HOST]]

import { isIP } from 'node:net'
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_RAW,
  close,
  inet_ntop,
  recv,
  send,
  socket,
  systemError,
} from '#posix'

// linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 0x1
const NLM_F_DUMP = 0x300
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const INET_DIAG_INFO = 2
const NLMSGHDR = 16 // bytes of struct nlmsghdr,
const REQUEST = 56 // of struct inet_diag_req_v2,
const ANSWER = 72 // of struct inet_diag_msg
const BYTES_RECEIVED = 128 // where struct tcp_info has tcpi_bytes_received

// By number, include/net/tcp_states.h
const states = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
  'BOUND_INACTIVE',
]

const args = process.argv.slice(2)
const state = states.indexOf(args[0] ?? '')
const [port, host, ...rest] = state > 0 ? args.slice(1) : args
const isPort = port === undefined || (/^\d+$/.test(port) && Number(port) <= 65535)
if (!isPort || (host !== undefined && isIP(host) === 0) || rest.length > 0) {
  console.error('usage: node ss.ts [STATE] [PORT [HOST]]')
  console.error(`STATE is one of ${states.slice(1).join(' ')}`)
  process.exit(2)
}

try {
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
  const found: Found[] = []
  for (const family of [AF_INET, AF_INET6]) {
    const bytes = request(family, state > 0 ? 1 << state : 0xffffffff)
    send(fd, bytes, bytes.length, 0)
    for (const message of answers(fd)) found.push(parse(message))
  }
  close(fd)
  console.log('State | Recv-Q | Send-Q | Local | Peer | Received')
  // They come in the order of the kernel's hash tables.
  for (const { cells } of found.filter(isWanted).toSorted(byEnds)) console.log(cells.join(' | '))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region request
/** struct nlmsghdr, then struct inet_diag_req_v2: which sockets, and what besides. */
function request(family: number, states: number): Buffer {
  const bytes = Buffer.alloc(NLMSGHDR + REQUEST)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  bytes.writeUInt16LE(NLM_F_REQUEST | NLM_F_DUMP, 6)
  bytes[16] = family
  bytes[17] = IPPROTO_TCP
  bytes[18] = 1 << (INET_DIAG_INFO - 1)
  bytes.writeUInt32LE(states, 20) // a bit for each state
  return bytes // the rest could name one socket by its addresses
}
// #endregion request

// #region answers
/** The messages that come until the kernel says that there are no more. netlink(7) */
function* answers(fd: number): Generator<Buffer> {
  const buf = Buffer.alloc(64 * 1024)
  for (;;) {
    const end = recv(fd, buf, buf.length, 0)
    for (let at = 0; at < end;) {
      const length = buf.readUInt32LE(at)
      const type = buf.readUInt16LE(at + 4)
      if (type === NLMSG_DONE) return
      if (type === NLMSG_ERROR) throw systemError('sock_diag', buf.readInt32LE(at + NLMSGHDR))
      yield buf.subarray(at + NLMSGHDR, at + length)
      at += aligned(length)
    }
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
// #endregion answers

// #region parse
interface Found {
  ends: string[]
  cells: (string | number | undefined)[]
}

/** struct inet_diag_msg, and behind it the attributes: a length, a type, and bytes. */
function parse(message: Buffer): Found {
  const ends = [end(message, 4, 8), end(message, 6, 24)]
  const queues = [message.readUInt32LE(56), message.readUInt32LE(60)]
  let received = '–'
  for (let at = ANSWER; at < message.length; at += aligned(message.readUInt16LE(at))) {
    if (message.readUInt16LE(at + 2) !== INET_DIAG_INFO) continue
    const info = message.subarray(at + 4, at + message.readUInt16LE(at))
    if (info.length > BYTES_RECEIVED) received = `${info.readBigUInt64LE(BYTES_RECEIVED)}`
  }
  return { ends, cells: [states[message[1]!], ...queues, ...ends, received] }
}

function end(message: Buffer, portAt: number, addressAt: number): string {
  const family = message[0]!
  const address = inet_ntop(family, message.subarray(addressAt, addressAt + 16))
  return withPort(address, message.readUInt16BE(portAt))
}
// #endregion parse

function withPort(address: string, port: number | string): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function isWanted({ ends }: Found): boolean {
  if (port === undefined) return true
  const number = Number(port)
  return ends.some((one) =>
    host === undefined ? one.endsWith(`:${number}`) : one === withPort(host, number),
  )
}

function byEnds(a: Found, b: Found): number {
  return a.ends.join() < b.ends.join() ? -1 : 1
}
