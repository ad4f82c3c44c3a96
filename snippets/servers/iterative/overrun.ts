// What happens to a write past the end of a Buffer. No sockets until the last line.
// usage: node overrun.ts

import { AF_UNIX, SOCK_DGRAM, recv, socket } from '#posix'

// Two small Buffers, made one after the other: both are cut from one pool of memory.
const line = Buffer.allocUnsafe(8).fill('.')
const next = Buffer.allocUnsafe(8).fill('next')
const distance = next.byteOffset - line.byteOffset
console.log(`the same memory: ${line.buffer === next.buffer}, ${distance} bytes apart`)

line[8] = 0
console.log(`line[8] = 0 does nothing: line[8] is ${line[8]}, next is ${next}`)

new Uint8Array(line.buffer, line.byteOffset, 9)[8] = 0x21
console.log(`through line.buffer it does: next is ${next}`)

try {
  recv(socket(AF_UNIX, SOCK_DGRAM, 0), line, 9, 0)
} catch (error) {
  console.log((error as Error).message)
}
