// Network namespaces: each is a network of its own, with its own interfaces, addresses and ports. A
// thread can leave one for another, while the sockets that it has made stay where they were made. So
// one program can be two hosts, with a cable between them.

import { closeSync, openSync } from 'node:fs'
import { close, recv, send, socket } from './calls.ts'
import { AF_NETLINK, CLONE_NEWNET, SOCK_CLOEXEC, SOCK_RAW } from './constants.ts'
import { check, systemError } from './errors.ts'
import { cString, libc } from './platform.ts'

const calls = {
  unshare: libc.func('int unshare(int)'),
  setns: libc.func('int setns(int, int)'),
}

/**
 * Gives this thread what it has shared until now as its own: with CLONE_NEWNET a new network, in
 * which there is nothing but a loopback interface that is down.
 * @throws EPERM (without CAP_SYS_ADMIN; `unshare -Urn COMMAND` gives a command that, and a network,
 * without being root where the system allows it), EINVAL, ENOSPC (too many). unshare(2)
 */
export function unshare(flags: number): void {
  check(calls.unshare(flags), 'unshare')
}

/**
 * Moves this thread into another namespace.
 * @param fd a descriptor of one, such as that of /proc/thread-self/ns/net
 * @param nstype CLONE_NEWNET, or 0 for any kind
 * @throws EPERM, EINVAL (another kind). setns(2)
 */
export function setns(fd: number, nstype: number): void {
  check(calls.setns(fd, nstype), 'setns')
}

/** A network namespace in which this program has a part. */
export interface Network {
  /** Runs an act in it, and comes back. */
  within<T>(act: () => T): T
  /** Its descriptor. */
  readonly fd: number
  /** Gives the descriptor back. The network goes with its last socket. */
  close(): void
}

/** Makes a network namespace, and stays where it is. Throws EPERM. network_namespaces(7) */
export function network(): Network {
  const home = current()
  try {
    unshare(CLONE_NEWNET)
    const fd = current()
    setns(home, CLONE_NEWNET)
    return {
      fd,
      within(act) {
        const back = current()
        try {
          setns(fd, CLONE_NEWNET)
          return act()
        } finally {
          setns(back, CLONE_NEWNET)
          closeSync(back)
        }
      },
      close: () => closeSync(fd),
    }
  } finally {
    closeSync(home)
  }
}

function current(): number {
  return openSync('/proc/thread-self/ns/net', 'r')
}

// struct nlmsghdr, then struct ifinfomsg, then attributes: a length, a type, and bytes or further
// attributes. rtnetlink(7), linux/if_link.h, linux/veth.h
const NLMSG_ERROR = 2
const RTM_NEWLINK = 16
const NLM_F_REQUEST = 0x1
const NLM_F_ACK = 0x4
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const IFLA_IFNAME = 3
const IFLA_LINKINFO = 18
const IFLA_NET_NS_FD = 28
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const VETH_INFO_PEER = 1

/**
 * Lays a cable (a pair of veth interfaces) between two networks, as `ip link add NAME type veth peer
 * name NAME netns B` does in A. Its two ends have the same name, and are down. The end that comes up
 * last can send at once; the kernel tells the other one a little later that the cable is connected,
 * and drops what it sends until then.
 * @throws EPERM (without CAP_NET_ADMIN in both), EEXIST (a network has an interface of that name),
 * EOPNOTSUPP (a kernel without veth). veth(4)
 */
export function cable(name: string, a: Network, b: Network): void {
  const ifinfomsg = Buffer.alloc(16) // nothing in particular
  const ifname = attribute(IFLA_IFNAME, Buffer.from(`${cString(name)}\0`))
  const there = attribute(IFLA_NET_NS_FD, Buffer.from(Uint32Array.of(b.fd).buffer))
  const peer = attribute(VETH_INFO_PEER, ifinfomsg, ifname, there)
  const kind = attribute(IFLA_INFO_KIND, Buffer.from('veth\0'))
  const link = attribute(IFLA_LINKINFO, kind, attribute(IFLA_INFO_DATA, peer))
  const nlmsghdr = Buffer.alloc(16)
  const message = Buffer.concat([nlmsghdr, ifinfomsg, ifname, link])
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(RTM_NEWLINK, 4)
  message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE, 6)

  const fd = a.within(() => socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0))
  try {
    send(fd, message, message.length, 0)
    const reply = Buffer.alloc(1024) // struct nlmsghdr, then struct nlmsgerr
    recv(fd, reply, reply.length, 0)
    const error = reply.readUInt16LE(4) === NLMSG_ERROR ? reply.readInt32LE(16) : 0
    if (error !== 0) throw systemError('RTM_NEWLINK', error)
  } finally {
    close(fd)
  }
}

function attribute(type: number, ...parts: Buffer[]): Buffer {
  const head = Buffer.alloc(4)
  const bytes = Buffer.concat([head, ...parts])
  bytes.writeUInt16LE(bytes.length, 0) // without the padding
  bytes.writeUInt16LE(type, 2)
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
