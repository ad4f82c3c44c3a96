// recvmsg and sendmsg: what recvfrom and sendto do, with control messages beside the bytes. In these
// the kernel tells what it knows of a datagram (at which address it arrived, which error came back
// for it), and is told how to send one.

import koffi from 'koffi'
import { systemError } from './errors.ts'
import { lastErrno, libc } from './platform.ts'

const calls = {
  recvmsg: libc.func('int64_t recvmsg(int, void *, int)'),
  sendmsg: libc.func('int64_t sendmsg(int, const void *, int)'),
}

/** What struct msghdr holds. C has a list of pieces for the data; here it is one piece. recvmsg(2) */
export interface Msghdr {
  /** Where to, or room for where from; null on a connected socket. */
  name: Uint8Array | null
  /** The bytes to send, or room for those that come. */
  data: Uint8Array
  /** Control messages to send, or room for those that come; null for none. */
  control: Uint8Array | null
  /** Filled by recvmsg: MSG_TRUNC where `data` was too short, MSG_CTRUNC where `control` was. */
  flags: number
}

// struct msghdr in words of 64 bits: name, its length, pieces, how many, control, its length, flags.
// The memory that it points to stays where it is while the arrays live. An address does not keep them
// alive, and V8 may collect what no code looks at again, during the call too: hence `held`.
const header = new BigUint64Array(7)
const piece = new BigUint64Array(2) // struct iovec: where, and how long
const pieceAt = koffi.address(piece)

const held: { message?: Msghdr } = {}

function fill(message: Msghdr): void {
  held.message = message
  const { name, data, control } = message
  piece.set([koffi.address(data), BigInt(data.byteLength)])
  header.set([...place(name), pieceAt, 1n, ...place(control), 0n])
}

function place(bytes: Uint8Array | null): [bigint, bigint] {
  return bytes === null ? [0n, 0n] : [koffi.address(bytes), BigInt(bytes.byteLength)]
}

/**
 * Receives into `message.data`, and fills the rest of `message`: who sent it, control messages,
 * flags. What the kernel does not write of name and control is zero.
 * @param flags 0, or MSG_ERRQUEUE for an error in place of a datagram (IP_RECVERR), MSG_TRUNC, …
 * @returns how many bytes came, with MSG_TRUNC how many the datagram had
 * @throws what recvfrom throws; EAGAIN from an empty error queue, which never waits. recvmsg(2)
 */
export function recvmsg(fd: number, message: Msghdr, flags: number): number {
  const received = tryRecvmsg(fd, message, flags)
  if (received < 0) throw systemError('recvmsg', received)
  return received
}

/** recvmsg that returns a negative errno in place of throwing. */
export function tryRecvmsg(fd: number, message: Msghdr, flags: number): number {
  fill(message)
  const received = calls.recvmsg(fd, header, flags) as number
  if (received < 0) return -lastErrno()
  message.name?.fill(0, Number(header[1]! & 0xffff_ffffn)) // a socklen_t, in half of its word
  message.control?.fill(0, Number(header[5]))
  message.flags = Number(BigInt.asIntN(32, header[6]!))
  return received
}

/**
 * Sends `message.data` to `message.name`, as the control messages say.
 * @throws what sendto throws, and EINVAL for control messages that are none. sendmsg(2)
 */
export function sendmsg(fd: number, message: Msghdr, flags: number): number {
  const sent = trySendmsg(fd, message, flags)
  if (sent < 0) throw systemError('sendmsg', sent, message.name ?? undefined)
  return sent
}

/** sendmsg that returns a negative errno in place of throwing. */
export function trySendmsg(fd: number, message: Msghdr, flags: number): number {
  fill(message)
  const sent = calls.sendmsg(fd, header, flags) as number
  return sent < 0 ? -lastErrno() : sent
}

/** A control message: which protocol it is of, which kind there, and its bytes. cmsg(3) */
export interface Cmsg {
  level: number
  type: number
  data: Buffer
}

// struct cmsghdr: length with these 16 bytes (size_t), level, type; then the data, padded to 8 bytes.
const CMSG_HEADER = 16

/** The control messages that recvmsg has put into `control`. */
export function cmsgs(control: Uint8Array): Cmsg[] {
  const bytes = Buffer.from(control.buffer, control.byteOffset, control.byteLength)
  const found: Cmsg[] = []
  for (let at = 0; at + CMSG_HEADER <= bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at)) // little-endian on both machines
    if (length < CMSG_HEADER) break // zeros: the last one is behind us
    found.push({
      level: bytes.readInt32LE(at + 8),
      type: bytes.readInt32LE(at + 12),
      data: bytes.subarray(at + CMSG_HEADER, at + length),
    })
    at += Math.ceil(length / 8) * 8
  }
  return found
}

/** One control message as bytes, for sendmsg. */
export function cmsg({ level, type, data }: Omit<Cmsg, 'data'> & { data: Uint8Array }): Buffer {
  const length = CMSG_HEADER + data.byteLength
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8)
  bytes.writeBigUInt64LE(BigInt(length), 0)
  bytes.writeInt32LE(level, 8)
  bytes.writeInt32LE(type, 12)
  bytes.set(data, CMSG_HEADER)
  return bytes
}
