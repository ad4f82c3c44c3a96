// The structures of the socket API as the kernel sees them: bytes, and
// which of them make up which field.

import { endianness } from 'node:os'
import {
  AF_INET,
  AI_NUMERICHOST,
  SOCK_STREAM,
  close,
  getaddrinfo,
  getsockname,
  inet_pton,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_storage,
  sockaddr_un,
  socket,
} from '#posix'

/** A field: its name, how many bytes it has, what they say. */
type Field = [name: string, size: number, meaning: string]

console.log(`This machine is ${endianness() === 'LE' ? 'little' : 'big'}-endian.`)

const host = inet_pton(AF_INET, '192.0.2.1')
show('struct in_addr', host, [['s_addr', 4, '192.0.2.1, network byte order']])

const ipv4 = sockaddr_in('192.0.2.1', 1234)
show('struct sockaddr_in', ipv4, [
  ['sin_family', 2, 'AF_INET is 2, host byte order'],
  ['sin_port', 2, '1234 is 0x04d2, network byte order'],
  ['sin_addr', 4, '192.0.2.1'],
  ['sin_zero', 8, 'padding'],
])

// What bind, connect and accept are declared with. C casts a pointer to
// it; the family tells what the rest is.
show('the same as struct sockaddr', ipv4, [
  ['sa_family', 2, 'AF_INET'],
  ['sa_data', 14, 'port, address, padding'],
])

show('struct sockaddr_in6', sockaddr_in6('2001:db8::1', 1234), [
  ['sin6_family', 2, 'AF_INET6 is 10'],
  ['sin6_port', 2, '1234'],
  ['sin6_flowinfo', 4, 'traffic class and flow label'],
  ['sin6_addr', 16, '2001:db8::1'],
  ['sin6_scope_id', 4, 'interface, for fe80:: addresses'],
])

show('struct sockaddr_un', sockaddr_un('/run/app.sock'), [
  ['sun_family', 2, 'AF_UNIX is 1'],
  ['sun_path', 108, '"/run/app.sock", ended by a zero'],
])

// Room for any of them. The kernel fills what it needs and says how
// much that was.
const fd = socket(AF_INET, SOCK_STREAM, 0)
show('struct sockaddr_storage, after getsockname', getsockname(fd, sockaddr_storage()), [
  ['ss_family', 2, 'AF_INET'],
  ['', 126, 'a new socket has 0.0.0.0 and port 0; the kernel wrote 16 bytes'],
])
close(fd)

// What getaddrinfo is asked with, and the head of each thing that it
// returns.
const hints = Buffer.alloc(48)
const ints = new Int32Array(hints.buffer, hints.byteOffset, 12)
ints.set([AI_NUMERICHOST, AF_INET, SOCK_STREAM])
show('struct addrinfo, as hints', hints, [
  ['ai_flags', 4, 'AI_NUMERICHOST is 4'],
  ['ai_family', 4, 'AF_INET'],
  ['ai_socktype', 4, 'SOCK_STREAM is 1'],
  ['ai_protocol', 4, '0: any that fits'],
  ['ai_addrlen', 4, 'in a result: 16 or 28'],
  ['', 4, 'padding: a pointer starts at a multiple of 8'],
  ['ai_addr', 8, 'in a result: pointer to the sockaddr'],
  ['ai_canonname', 8, 'in a result: pointer to the official name'],
  ['ai_next', 8, 'in a result: pointer to the next addrinfo'],
])
const asked = { flags: AI_NUMERICHOST, family: AF_INET, socktype: SOCK_STREAM }
const [found] = getaddrinfo('192.0.2.1', '1234', asked)
console.log(`\ngetaddrinfo gave the same sockaddr_in as above: ${found!.addr.equals(ipv4)}`)

function show(name: string, bytes: Buffer, fields: Field[]): void {
  console.log(`\n${name}, ${bytes.length} bytes`)
  let offset = 0
  for (const [field, size, meaning] of fields) {
    const hex = bytes.toString('hex', offset, offset + size).match(/../g) ?? []
    console.log(`${String(offset).padStart(4)}  ${field.padEnd(13)}  ${meaning}`)
    // Sixteen bytes a line; what is zero to the end is said in words.
    const used = Math.max(8, hex.findLastIndex((byte) => byte !== '00') + 1)
    const rest = hex.length > used + 8 ? `   and ${hex.length - used} zero bytes` : ''
    const shown = rest === '' ? hex : hex.slice(0, used)
    for (let i = 0; i < shown.length; i += 16) {
      const last = i + 16 >= shown.length
      console.log(`      ${shown.slice(i, i + 16).join(' ')}${last ? rest : ''}`)
    }
    offset += size
  }
  if (offset !== bytes.length) throw new Error(`${name}: the fields have ${offset} bytes`)
}
