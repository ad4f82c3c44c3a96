import { describe, expect, test } from 'vitest'
import {
  EAGAIN,
  IPPROTO_IP,
  IP_PKTINFO,
  IP_RECVERR,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_PEEK,
  MSG_TRUNC,
  POLLERR,
  POLLIN,
  cmsg,
  cmsgs,
  connect,
  endpoint,
  inet_ntop,
  recvmsg,
  sendmsg,
  sendto,
  setsockopt,
  sockaddr_in,
  sockaddr_storage,
  tryRecvmsg,
  trySendmsg,
} from '#posix'
import { NOT_OPEN, bound, closeAfterEach, code, datagram, failure, own, until } from './sockets.ts'

closeAfterEach()

/** A receiver, and a sender that knows its address. */
function pair() {
  const [receiverFd, senderFd] = [bound(datagram()), bound(datagram())]
  return { receiverFd, senderFd, receiver: own(receiverFd), sender: own(senderFd) }
}

/** Room for a message. */
function room(bytes: number, control = 256) {
  return { name: sockaddr_storage(), data: Buffer.alloc(bytes), control: Buffer.alloc(control, 0xee), flags: -1 }
}

describe('sendmsg, recvmsg', () => {
  test('bytes go out and come in, and the sender is named', () => {
    const { receiverFd, senderFd, receiver, sender } = pair()
    const sent = sendmsg(senderFd, { name: receiver, data: Buffer.from('hello'), control: null, flags: 0 }, 0)
    expect(sent).toBe(5)
    const message = room(100)
    expect(recvmsg(receiverFd, message, 0)).toBe(5)
    expect(message.data.toString('utf8', 0, 5)).toBe('hello')
    expect(endpoint(message.name)).toEqual(endpoint(sender))
    expect(message.flags).toBe(0)
    expect(cmsgs(message.control)).toEqual([])
    expect(message.control.every((byte) => byte === 0)).toBe(true) // nothing of what was there before
  })

  test('name and control may be left out', () => {
    const { receiverFd, senderFd, receiver } = pair()
    connect(senderFd, receiver)
    const nothing = { name: null, data: new Uint8Array(), control: null, flags: 0 }
    expect(sendmsg(senderFd, nothing, 0)).toBe(0)
    expect(recvmsg(receiverFd, nothing, 0)).toBe(0)
  })

  test('small arrays, which V8 may keep in its own heap, are filled where they are', () => {
    const { receiverFd, senderFd, receiver } = pair()
    for (let i = 0; i < 200; i++) {
      sendto(senderFd, Buffer.from([i, i + 1]), 2, 0, receiver)
      const message = { name: new Uint8Array(16), data: new Uint8Array(2), control: null, flags: 0 }
      expect(recvmsg(receiverFd, message, 0)).toBe(2)
      expect([...message.data]).toEqual([i, i + 1])
      expect(endpoint(message.name).address).toBe('127.0.0.1')
    }
  })

  test('MSG_TRUNC among the flags: the datagram was longer', () => {
    const { receiverFd, senderFd, receiver } = pair()
    sendto(senderFd, Buffer.from('0123456789'), 10, 0, receiver)
    const message = room(4)
    expect(recvmsg(receiverFd, message, MSG_PEEK)).toBe(4)
    expect(message.flags & MSG_TRUNC).toBe(MSG_TRUNC)
    expect(recvmsg(receiverFd, message, MSG_TRUNC)).toBe(10)
    expect(message.data.toString()).toBe('0123')
  })

  test('a negative errno, or an error', () => {
    const { receiverFd } = pair()
    expect(tryRecvmsg(receiverFd, room(1), MSG_DONTWAIT)).toBe(-EAGAIN)
    expect(failure(() => recvmsg(receiverFd, room(1), MSG_DONTWAIT)).message).toMatch(/^recvmsg EAGAIN: /)
    expect(code(() => recvmsg(NOT_OPEN, room(1), 0))).toBe('EBADF')
    const nowhere = { name: sockaddr_in('127.0.0.1', 0), data: Buffer.alloc(1), control: null, flags: 0 }
    expect(failure(() => sendmsg(receiverFd, nowhere, 0)).message).toBe('sendmsg EINVAL: invalid argument 127.0.0.1:0')
    expect(trySendmsg(receiverFd, { ...nowhere, name: null }, 0)).toBeLessThan(0) // EDESTADDRREQ
  })
})

describe('control messages', () => {
  test('IP_PKTINFO tells at which address a datagram arrived, and sends from it', () => {
    const receiverFd = datagram()
    setsockopt(receiverFd, IPPROTO_IP, IP_PKTINFO, 1)
    bound(receiverFd)
    const senderFd = bound(datagram())
    sendto(senderFd, Buffer.from('x'), 1, 0, own(receiverFd))
    const message = room(1)
    recvmsg(receiverFd, message, 0)
    const [arrival, ...more] = cmsgs(message.control)
    expect(more).toEqual([])
    expect(arrival).toMatchObject({ level: IPPROTO_IP, type: IP_PKTINFO })
    expect(arrival!.data).toHaveLength(12)
    expect(inet_ntop(2, arrival!.data.subarray(4, 8))).toBe('127.0.0.1')

    arrival!.data.set([127, 0, 0, 3], 4)
    const anyFd = datagram() // bound to nothing, so that it may send from any address of the host
    sendmsg(anyFd, { name: own(senderFd), data: message.data, control: cmsg(arrival!), flags: 0 }, 0)
    const answer = room(1)
    recvmsg(senderFd, answer, 0)
    expect(endpoint(answer.name).address).toBe('127.0.0.3')
  })

  test('MSG_CTRUNC among the flags: there was no room for it', () => {
    const { receiverFd, senderFd, receiver } = pair()
    setsockopt(receiverFd, IPPROTO_IP, IP_PKTINFO, 1)
    sendto(senderFd, Buffer.from('x'), 1, 0, receiver)
    const message = room(1, 8)
    recvmsg(receiverFd, message, 0)
    expect(message.flags & MSG_CTRUNC).toBe(MSG_CTRUNC)
    expect(cmsgs(message.control)).toEqual([])
  })

  test('MSG_ERRQUEUE: which datagram an error is about', () => {
    const { senderFd } = pair()
    setsockopt(senderFd, IPPROTO_IP, IP_RECVERR, 1)
    expect(code(() => recvmsg(senderFd, room(1), MSG_ERRQUEUE))).toBe('EAGAIN') // it never waits
    sendto(senderFd, Buffer.from('lost'), 4, 0, sockaddr_in('127.0.0.1', 1))
    expect(until(senderFd, POLLIN) & POLLERR).toBe(POLLERR)
    const message = room(10)
    expect(recvmsg(senderFd, message, MSG_ERRQUEUE)).toBe(4)
    expect(message.data.toString('utf8', 0, 4)).toBe('lost')
    expect(endpoint(message.name)).toMatchObject({ address: '127.0.0.1', port: 1 })
    expect(message.flags & MSG_ERRQUEUE).toBe(MSG_ERRQUEUE)
    expect(cmsgs(message.control)).toMatchObject([{ level: IPPROTO_IP, type: IP_RECVERR }])
  })

  test('several in one buffer, each padded to eight bytes', () => {
    const messages = [
      { level: 1, type: 2, data: Buffer.from('abc') },
      { level: 3, type: -4, data: Buffer.alloc(0) },
      { level: 5, type: 6, data: Buffer.from('12345678') },
    ]
    const bytes = Buffer.concat(messages.map(cmsg))
    expect(bytes).toHaveLength(24 + 16 + 24)
    expect(cmsgs(Buffer.concat([bytes, Buffer.alloc(20)]))).toEqual(messages)
    expect(cmsgs(Buffer.alloc(0))).toEqual([])
  })
})
