// Byte order: how a port lies in memory, and how it travels.

import { endianness } from 'node:os'
import { htonl, htons, ntohs, sockaddr_in } from '#posix'

const port = new Uint16Array([1234])
const end = endianness() === 'LE' ? 'little' : 'big'
console.log(`1234 is 0x${hex(1234, 4)}; this machine is ${end}-endian`)
console.log(`in the memory of this machine     ${bytes(new Uint8Array(port.buffer))}`)

const view = new DataView(new ArrayBuffer(2))
view.setUint16(0, 1234, true)
console.log(`of a little-endian one (x64, arm) ${bytes(new Uint8Array(view.buffer))}`)
view.setUint16(0, 1234, false)
console.log(`of a big-endian one (s390x)       ${bytes(new Uint8Array(view.buffer))}`)
const addr = sockaddr_in('127.0.0.1', 1234)
console.log(`in a sockaddr_in, and on the wire ${bytes(addr.subarray(2, 4))}`)

console.log(`htons(1234) = 0x${hex(htons(1234), 4)} = ${htons(1234)}`)
console.log(`ntohs(htons(1234)) = ${ntohs(htons(1234))}`)
console.log(`htonl(0x7f000001) = 0x${hex(htonl(0x7f_00_00_01), 8)}`)

const buf = Buffer.alloc(2)
buf.writeUInt16BE(1234)
console.log(`writeUInt16BE(1234) writes ${bytes(buf)}`)
console.log(`readUInt16BE reads ${buf.readUInt16BE()} from them`)
console.log(`readUInt16LE reads ${buf.readUInt16LE()}`)

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}

function bytes(array: Uint8Array): string {
  return [...array].map((byte) => hex(byte, 2)).join(' ')
}
