import { describe, expect, test } from 'vitest'
import { AF_INET, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, TH_ACK, TH_SYN, packet } from '#posix'

/** An IPv4 packet from 10.0.0.1 to 10.0.0.2. `options` are those of IP, in words of four bytes. */
function ipv4(protocol: number, data: Buffer, options = Buffer.alloc(0), trailer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20)
  head[0] = 0x40 | (5 + options.length / 4)
  head.writeUInt16BE(20 + options.length + data.length, 2)
  head[9] = protocol
  head.set([10, 0, 0, 1, 10, 0, 0, 2], 12)
  return Buffer.concat([head, options, data, trailer])
}

function udp(source: number, destination: number, bytes: number): Buffer {
  const data = Buffer.alloc(8 + bytes)
  data.writeUInt16BE(source, 0)
  data.writeUInt16BE(destination, 2)
  return data
}

function tcp(flags: number, options: number, bytes: number): Buffer {
  const data = Buffer.alloc(20 + options + bytes)
  data.writeUInt16BE(5000, 0)
  data.writeUInt16BE(40_000, 2)
  data.writeUInt32BE(0xffff_fffe, 4)
  data.writeUInt32BE(7, 8)
  data[12] = ((20 + options) / 4) << 4
  data[13] = flags
  data.writeUInt16BE(512, 14)
  return data
}

const ends = (source: number, destination: number) => ({
  source: { family: AF_INET, address: '10.0.0.1', port: source },
  destination: { family: AF_INET, address: '10.0.0.2', port: destination },
})

describe('packet', () => {
  test('reads a datagram of UDP, behind options of IP too, and not beyond its end', () => {
    const expected = { protocol: IPPROTO_UDP, ...ends(5000, 40_000), bytes: 5 }
    expect(packet(ipv4(IPPROTO_UDP, udp(5000, 40_000, 5)))).toEqual(expected)
    expect(packet(ipv4(IPPROTO_UDP, udp(5000, 40_000, 5), Buffer.alloc(8, 1)))).toEqual(expected)
    expect(packet(ipv4(IPPROTO_UDP, udp(5000, 40_000, 5), Buffer.alloc(0), Buffer.alloc(6)))).toEqual(expected)
  })

  test('reads a segment of TCP: its numbers, its flags, what it carries behind its options', () => {
    const read = packet(ipv4(IPPROTO_TCP, tcp(TH_SYN | TH_ACK, 12, 3)))
    const head = { flags: TH_SYN | TH_ACK, seq: 0xffff_fffe, ack: 7, window: 512 }
    expect(read).toEqual({ protocol: IPPROTO_TCP, ...ends(5000, 40_000), bytes: 3, tcp: head })
  })

  test('reads an error of ICMP, and the header of the packet that it is about, of which there may be 8 bytes', () => {
    const about = ipv4(IPPROTO_TCP, tcp(TH_SYN, 0, 0).subarray(0, 8))
    const error = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), about])
    const read = packet(ipv4(IPPROTO_ICMP, error))
    expect(read).toMatchObject({ protocol: IPPROTO_ICMP, ...ends(0, 0), icmp: { type: 3, code: 3 } })
    expect(read.icmp!.original).toEqual({ protocol: IPPROTO_TCP, ...ends(5000, 40_000), bytes: 8 })
    const echo = packet(ipv4(IPPROTO_ICMP, Buffer.from([8, 0, 0, 0, 0, 0, 0, 0])))
    expect(echo.icmp).toEqual({ type: 8, code: 0, original: undefined })
  })

  test('takes a Uint8Array in the middle of a buffer', () => {
    const bytes = new Uint8Array(100)
    bytes.set(ipv4(IPPROTO_UDP, udp(1, 2, 0)), 30)
    expect(packet(bytes.subarray(30, 58))).toMatchObject({ ...ends(1, 2), bytes: 0 })
  })

  test('refuses what is no packet of IPv4', () => {
    expect(() => packet(new Uint8Array(19))).toThrow('packet: not an IPv4 packet')
    const version6 = Buffer.alloc(40)
    version6[0] = 0x60
    expect(() => packet(version6)).toThrow('packet: not an IPv4 packet')
  })
})
