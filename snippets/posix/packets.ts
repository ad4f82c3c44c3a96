// What is in an IPv4 packet, as an AF_PACKET socket of type SOCK_DGRAM gives it, or a raw socket.
// packet(7), raw(7), RFC 791, RFC 792, RFC 768, RFC 9293

import type { Endpoint } from './addresses.ts'
import { AF_INET, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from './constants.ts'

export interface Packet {
  /** IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, … */
  protocol: number
  /** Where from and where to. The ports are 0 in what is neither TCP nor UDP. */
  source: Endpoint
  destination: Endpoint
  /** How many bytes it carries behind the headers. */
  bytes: number
  /** Of a TCP segment: TH_SYN, TH_ACK and so on, two sequence numbers, and the window. */
  tcp?: { flags: number; seq: number; ack: number; window: number }
  /** Of a message of ICMP: its type, its code, and the packet that it is about, if it is an error. */
  icmp?: { type: number; code: number; original: Packet | undefined }
}

// #region packet
/**
 * Reads the headers of an IPv4 packet.
 * @throws RangeError if the bytes are too few for the header of IP, or are not version 4
 */
export function packet(bytes: Uint8Array): Packet {
  const ip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (ip.length < 20 || ip[0]! >> 4 !== 4) throw new RangeError('packet: not an IPv4 packet')
  const protocol = ip[9]!
  const data = ip.subarray((ip[0]! & 0xf) * 4, Math.max(ip.readUInt16BE(2), 20))
  const hasPorts = (protocol === IPPROTO_TCP || protocol === IPPROTO_UDP) && data.length >= 4
  const end = (at: number, port: number): Endpoint => ({
    family: AF_INET,
    address: ip.subarray(at, at + 4).join('.'),
    port: hasPorts ? data.readUInt16BE(port) : 0,
  })
  const ends = { protocol, source: end(12, 0), destination: end(16, 2) }
  if (protocol === IPPROTO_UDP) return { ...ends, bytes: Math.max(data.length - 8, 0) }
  if (protocol === IPPROTO_TCP && data.length >= 20) {
    const [seq, ack] = [data.readUInt32BE(4), data.readUInt32BE(8)]
    const tcp = { flags: data[13]!, seq, ack, window: data.readUInt16BE(14) }
    return { ...ends, bytes: data.length - (data[12]! >> 4) * 4, tcp }
  }
  if (protocol === IPPROTO_ICMP && data.length >= 8) {
    const isError = [3, 4, 5, 11, 12].includes(data[0]!)
    const original = isError && data.length >= 28 ? packet(data.subarray(8)) : undefined
    return { ...ends, bytes: data.length - 8, icmp: { type: data[0]!, code: data[1]!, original } }
  }
  return { ...ends, bytes: data.length }
}
// #endregion packet
