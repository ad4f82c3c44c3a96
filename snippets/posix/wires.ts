// A host whose cable ends in this program: each packet that it sends is given to the program, and
// what the program makes of it is up to the program. So a program can be the wire between two hosts,
// or the other host itself. Needs CAP_NET_ADMIN and CAP_NET_RAW in a network of its own.

import { htons, sockaddr_in } from './addresses.ts'
import { close, recv, sendto, socket } from './calls.ts'
import {
  AF_INET,
  AF_PACKET,
  ETH_P_IP,
  IFF_NOARP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_RAW,
} from './constants.ts'
import { setInterfaceAddress, setInterfaceFlags, setInterfaceUp } from './interfaces.ts'
import { type Network, cable, network } from './namespaces.ts'
import { poll, pollfds } from './waiting.ts'

/** A host and the end of its cable. */
export interface Wire {
  /** The network in which the host's sockets are made: `within(() => socket(…))`. */
  readonly host: Network
  /** Readable when the host has sent a packet. */
  readonly fd: number
  /**
   * The next IPv4 packet that the host sends, from its header on.
   * @param timeout milliseconds; 0 for what is there already
   * @returns undefined where none came in time
   */
  receive(timeout: number): Buffer | undefined
  /** Lets a packet arrive at the host. Its length and its checksums, of IP and of TCP, are filled in. */
  deliver(bytes: Uint8Array): void
  close(): void
}

/**
 * Makes a host.
 * @param address its own, of a network of 256 addresses, all the others of which are this program's
 * @throws EPERM (without the rights), EOPNOTSUPP (a kernel without veth)
 */
export function wire(address: string): Wire {
  const [host, far] = [network(), network()]
  cable('wire', host, far)
  // Nobody answers to ARP here. At the far end there is no address, so the kernel there answers to
  // nothing, and its packet socket has a copy of all that comes.
  far.within(() => setInterfaceUp('wire'))
  host.within(() => {
    setInterfaceUp('lo')
    setInterfaceFlags('wire', IFF_NOARP)
    setInterfaceAddress('wire', address, '255.255.255.0')
  })
  const fd = far.within(() => socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP)))
  // What is to arrive is sent by the host itself, with a header in which another is the sender. raw(7)
  const rawFd = host.within(() => socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW))
  const to = sockaddr_in(address, 0)
  const buf = Buffer.alloc(65_536)
  const fds = pollfds(1)
  fds.set(0, fd, POLLIN)
  return {
    host,
    fd,
    receive(timeout) {
      if (poll(fds, 1, timeout) === 0) return undefined
      return Buffer.from(buf.subarray(0, recv(fd, buf, buf.length, 0)))
    },
    deliver(bytes) {
      const sent = summed(bytes)
      sendto(rawFd, sent, sent.length, 0, to) // the kernel does the header of IP. raw(7)
    },
    close() {
      for (const open of [fd, rawFd]) close(open)
      for (const one of [host, far]) one.close()
    },
  }
}

/** The packet with the checksum of TCP, which a host leaves to its interface. RFC 9293, section 3.1 */
function summed(bytes: Uint8Array): Buffer {
  const ip = Buffer.from(bytes)
  if (ip[9] !== IPPROTO_TCP) return ip
  const header = (ip[0]! & 0xf) * 4
  const tcp = ip.subarray(header)
  tcp.writeUInt16BE(0, 16)
  let sum = IPPROTO_TCP + tcp.length
  for (const part of [ip.subarray(12, 20), tcp]) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at]! << 8) | (part[at + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  tcp.writeUInt16BE(~sum & 0xffff, 16)
  return ip
}
