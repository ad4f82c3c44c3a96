// The kernel's own list of TCP sockets, asked for by what one wants to know: sock_diag(7). /proc/net/tcp has the same, but it is written
// out whole each time it is read, with the thousands of connections in TIME_WAIT that a run of the tests leaves behind.

import { isIPv6 } from 'node:net'
import type { Address } from './program.ts'
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_RAW,
  inet_pton,
  recv,
  send,
  socket,
} from '#posix'

const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 0x1
const NLM_F_DUMP = 0x300
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const TCP_LISTEN = 10
const ALL_STATES = 0xffffffff

/** Fields of a struct inet_diag_msg. */
interface Found {
  /** The local address, as in struct sockaddr_in or sockaddr_in6. */
  address: Buffer
  port: number
  /** Bytes that wait to be read; of a listening socket, connections that wait to be accepted. */
  receiveQueue: number
  inode: number
}

const buffer = Buffer.alloc(64 * 1024)
const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)

/** The sockets that listen at an address, by their inodes. The same port at another address is somebody else's. */
export function listenersAt({ host, port }: Address): number[] {
  const family = isIPv6(host) ? AF_INET6 : AF_INET
  const address = inet_pton(family, host)
  return ask(request(family, NLM_F_DUMP, 1 << TCP_LISTEN))
    .filter((found) => found.port === port && found.address.subarray(0, address.length).equals(address))
    .map(({ inode }) => inode)
}

/** How many bytes wait to be read at `local`, in its connection with `remote`; undefined if there is no such connection. */
export function receiveQueue(local: Address, remote: Address): number | undefined {
  const family = isIPv6(local.host) ? AF_INET6 : AF_INET
  return ask(request(family, 0, ALL_STATES, local, remote))[0]?.receiveQueue
}

/** struct nlmsghdr and struct inet_diag_req_v2. */
function request(family: number, flags: number, states: number, local?: Address, remote?: Address): Buffer {
  const bytes = Buffer.alloc(16 + 56)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  bytes.writeUInt16LE(NLM_F_REQUEST | flags, 6)
  bytes[16] = family
  bytes[17] = IPPROTO_TCP
  bytes.writeUInt32LE(states, 20)
  // struct inet_diag_sockid: ports and addresses in network byte order, an interface, a cookie
  if (local !== undefined && remote !== undefined) {
    bytes.writeUInt16BE(local.port, 24)
    bytes.writeUInt16BE(remote.port, 26)
    bytes.set(inet_pton(family, local.host), 28)
    bytes.set(inet_pton(family, remote.host), 44)
  }
  bytes.fill(0xff, 64, 72) // INET_DIAG_NOCOOKIE
  return bytes
}

/** Sends a request and returns what the kernel answers, in one message or in several. */
function ask(bytes: Buffer): Found[] {
  send(fd, bytes, bytes.length, 0)
  const isDump = (bytes.readUInt16LE(6) & NLM_F_DUMP) !== 0
  const found: Found[] = []
  for (;;) {
    const end = recv(fd, buffer, buffer.length, 0)
    for (let at = 0; at < end; at += (buffer.readUInt32LE(at) + 3) & ~3) {
      const type = buffer.readUInt16LE(at + 4)
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return found // ENOENT: no such connection
      found.push({
        address: Buffer.from(buffer.subarray(at + 24, at + 40)),
        port: buffer.readUInt16BE(at + 20),
        receiveQueue: buffer.readUInt32LE(at + 16 + 56),
        inode: buffer.readUInt32LE(at + 16 + 68),
      })
    }
    if (!isDump) return found
  }
}
