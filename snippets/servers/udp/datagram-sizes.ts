// How long a datagram may be, and in how many packets it travels
// where a link takes 1,500 bytes. It makes itself a network of its
// own, for which it needs to be root there:
// usage: unshare -Urn node datagram-sizes.ts, or sudo "$(which node)" datagram-sizes.ts

import { readFileSync } from 'node:fs'
import {
  IPPROTO_IP,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  SOCK_DGRAM,
  bind,
  close,
  connect,
  family,
  getsockname,
  getsockoptInt,
  network,
  recv,
  send,
  setInterfaceMtu,
  setInterfaceUp,
  setsockopt,
  sockaddr,
  socket,
} from '#posix'

const buf = Buffer.alloc(65_536)

try {
  network().within(() => {
    // The loopback interface of this network, and of no other:
    setInterfaceMtu('lo', 1500)
    setInterfaceUp('lo')

    // #region sizes
    console.log('IPv4:')
    const four = pair('127.0.0.1')
    for (const length of [1472, 1473, 65_507, 65_508]) attempt(four, length)

    console.log('\nIPv6:')
    const six = pair('::1')
    for (const length of [1452, 1453, 65_527, 65_528]) attempt(six, length)
    // #endregion sizes

    // #region never
    console.log('\nIPv4, never in fragments:')
    setsockopt(four.senderFd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    for (const length of [1472, 1473]) attempt(four, length)
    console.log(`IP_MTU: ${getsockoptInt(four.senderFd, IPPROTO_IP, IP_MTU)}`)
    // #endregion never

    for (const { senderFd, receiverFd } of [four, six]) {
      close(senderFd)
      close(receiverFd)
    }
  })
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

interface Pair {
  senderFd: number
  receiverFd: number
}

/** A receiver, and a sender that is connected to it. */
function pair(address: string): Pair {
  const addr = sockaddr(address, 0)
  const receiverFd = socket(family(addr), SOCK_DGRAM, 0)
  bind(receiverFd, addr)
  const senderFd = socket(family(addr), SOCK_DGRAM, 0)
  connect(senderFd, getsockname(receiverFd, addr))
  return { senderFd, receiverFd }
}

// #region attempt
/**
 * Sends a datagram of that length, and prints what became of it.
 */
function attempt({ senderFd, receiverFd }: Pair, length: number): void {
  const before = fragments()
  try {
    send(senderFd, buf, length, 0)
    const received = recv(receiverFd, buf, buf.length, 0)
    // A datagram that is not cut has no fragments
    const packets = fragments() - before || 1
    console.log(`${length} bytes: ${received} received, in ${packets} packets`)
  } catch (error) {
    console.log(`${length} bytes: ${(error as Error).message}`)
  }
}

/**
 * How many fragments this network has made so far. proc(5),
 * /proc/net/snmp and snmp6
 */
function fragments(): number {
  const [names, values] = readFileSync('/proc/thread-self/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '))
  const ofIPv6 = readFileSync('/proc/thread-self/net/snmp6', 'latin1')
  return (
    Number(values![names!.indexOf('FragCreates')]) +
    Number(/^Ip6FragCreates\s+(\d+)/m.exec(ofIPv6)?.[1] ?? 0)
  )
}
// #endregion attempt
