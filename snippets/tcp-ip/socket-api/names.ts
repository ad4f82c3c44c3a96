// From names to addresses, without a name server: every answer here is
// the same on every machine.

import { isIP } from 'node:net'
import { hostname } from 'node:os'
import {
  AF_INET,
  AF_INET6,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  type AddrInfo,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  type SystemError,
  endpoint,
  getaddrinfo,
  gethostname,
  inet_addr,
  inet_aton,
  inet_pton,
} from '#posix'

const families = new Map([
  [AF_INET, 'AF_INET'],
  [AF_INET6, 'AF_INET6'],
])
const types = new Map([
  [SOCK_STREAM, 'SOCK_STREAM'],
  [SOCK_DGRAM, 'SOCK_DGRAM'],
  [SOCK_RAW, 'SOCK_RAW'],
])

const numeric = AI_NUMERICHOST | AI_NUMERICSERV // literals only: nobody is asked
console.log("getaddrinfo('192.0.2.1', '80'): one answer for each type of socket")
getaddrinfo('192.0.2.1', '80', { flags: numeric }).forEach(show)

console.log("getaddrinfo('2001:db8::1', '80', SOCK_STREAM)")
getaddrinfo('2001:db8::1', '80', { flags: numeric, socktype: SOCK_STREAM }).forEach(show)

console.log("getaddrinfo(null, '80', AF_INET, SOCK_STREAM): where a client finds this host")
const hints = { flags: numeric, family: AF_INET, socktype: SOCK_STREAM }
getaddrinfo(null, '80', hints).forEach(show)

console.log('the same with AI_PASSIVE: what a server binds to, all addresses of this host')
getaddrinfo(null, '80', { ...hints, flags: numeric | AI_PASSIVE }).forEach(show)

console.log("getaddrinfo('no-such-host.invalid', AI_NUMERICHOST)")
try {
  getaddrinfo('no-such-host.invalid', null, { flags: AI_NUMERICHOST })
} catch (error) {
  const { message, code, errno } = error as SystemError
  console.log(`  ${message}\n  code ${code}, number ${errno}`)
}

const name = gethostname()
console.log(`\ngethostname() gives what node:os gives: ${name === hostname()}`)
console.log(`and that is an address: ${isIP(name) !== 0}`)

console.log('\nwhat is read       inet_pton        inet_aton        inet_addr')
const texts = [
  '127.0.0.1',
  '127.1',
  '010.0.0.1',
  '0x7f.0.0.1',
  '127.0.0.1 junk',
  '255.255.255.255',
  '256.0.0.1',
  'host',
]
for (const text of texts) {
  const number = `0x${inet_addr(text).toString(16).padStart(8, '0')}`
  const answers = [strict(text).padEnd(16), dotted(inet_aton(text)).padEnd(16), number]
  console.log(`${`'${text}'`.padEnd(18)} ${answers.join(' ')}`)
}

function show({ family, socktype, addr }: AddrInfo): void {
  const { address, port } = endpoint(addr)
  console.log(`  ${families.get(family)}, ${types.get(socktype)}, ${address}, port ${port}`)
}

function strict(text: string): string {
  try {
    return dotted(inet_pton(AF_INET, text))
  } catch {
    return 'no'
  }
}

function dotted(bytes: Buffer | null): string {
  return bytes === null ? 'no' : [...bytes].join('.')
}
