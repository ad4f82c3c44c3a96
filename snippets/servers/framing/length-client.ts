// Sends messages with their length before them, all in one go, and prints the reply to
// each.
// usage: node length-client.ts ADDRESS PORT MESSAGE ...

import { isIP } from 'node:net'
import {
  SOCK_CLOEXEC,
  SOCK_STREAM,
  close,
  connect,
  family,
  recv,
  send,
  sockaddr,
  socket,
} from '#posix'

const REPLY_MAX = 3 * 65_536 // bytes: upper case can be three times as long

const [host = '', port = '', ...messages] = process.argv.slice(2)
const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
if (!isPort || isIP(host) === 0) {
  console.error('usage: node length-client.ts ADDRESS PORT MESSAGE ...')
  process.exit(2)
}

try {
  const addr = sockaddr(host, Number(port))
  const fd = socket(family(addr), SOCK_STREAM | SOCK_CLOEXEC, 0)
  connect(fd, addr)
  const request = messages.map((message) => encodeLength(Buffer.from(message)))
  sendAll(fd, Buffer.concat(request))
  for (const message of messages) {
    console.log(`${JSON.stringify(message)} -> ${JSON.stringify(receive(fd).toString())}`)
  }
  close(fd)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

// #region receive
/** One message: the prefix says how much to ask for. */
function receive(fd: number): Buffer {
  const length = receiveAll(fd, 4).readUInt32BE()
  if (length > REPLY_MAX) throw new Error(`${length} bytes, the limit is ${REPLY_MAX}`)
  return receiveAll(fd, length)
}

/** So many bytes and not one more, in however many pieces they come. */
function receiveAll(fd: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let filled = 0; filled < length;) {
    const received = recv(fd, bytes.subarray(filled), length - filled, 0)
    if (received === 0) throw new Error(`closed after ${filled} of ${length} bytes`)
    filled += received
  }
  return bytes
}
// #endregion receive

function encodeLength(message: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(message.length)
  return Buffer.concat([prefix, message])
}

/** send may take a part of the bytes; the rest is ours to send again. */
function sendAll(fd: number, bytes: Buffer): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += send(fd, bytes.subarray(sent), bytes.length - sent, 0)
  }
}
