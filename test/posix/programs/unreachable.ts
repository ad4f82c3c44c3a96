// Prints what calls throw in a network namespace that has the loopback interface and no other.

import { AF_INET, SOCK_DGRAM, SOCK_STREAM, type SystemError, connect, sendto, sockaddr, socket } from '#posix'

function errorOf(act: () => unknown): string {
  try {
    return String(act())
  } catch (error) {
    return (error as SystemError).message
  }
}

const elsewhere = sockaddr('192.0.2.1', 9) // RFC 5737: an address for documentation
console.log(
  JSON.stringify({
    connect: errorOf(() => connect(socket(AF_INET, SOCK_STREAM, 0), elsewhere)),
    sendto: errorOf(() => sendto(socket(AF_INET, SOCK_DGRAM, 0), Buffer.alloc(1), 1, 0, elsewhere)),
  }),
)
