// Prints the addresses of a name, in the order in which a client should
// try them, as `getent ahosts` does.
// usage: node exercise-resolve.ts NAME [SERVICE]

import { type AddrInfo, SOCK_STREAM, endpoint, getaddrinfo } from '#posix'

const [name, service = null] = process.argv.slice(2)
if (name === undefined) {
  console.error('usage: node exercise-resolve.ts NAME [SERVICE]')
  process.exit(2)
}

try {
  // With a type of socket each address comes once, not once for each
  // type.
  getaddrinfo(name, service, { socktype: SOCK_STREAM }).forEach(show)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

function show({ addr }: AddrInfo): void {
  const { address, port } = endpoint(addr)
  console.log(service === null ? address : `${address} port ${port}`)
}
