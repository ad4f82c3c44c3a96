// Names, with node:dns. These answers do not depend on the network: two
// literals, and a text that cannot be a name.

import { promises as dns } from 'node:dns'

for (const name of ['192.0.2.1', '127.1', 'x..y']) {
  try {
    // getaddrinfo, on a thread of libuv's pool
    const { address, family } = await dns.lookup(name)
    console.log(`dns.lookup '${name}': ${address}, IPv${family}`)
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException
    console.log(`dns.lookup '${name}': ${message}\n  code ${code}, syscall ${syscall}`)
  }
}
