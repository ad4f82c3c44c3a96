// A UDP peer with a name, driven step by step: what test/support/peer.ts is for TCP. `await using` closes it.

import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { Address } from '../../support/program.ts'
import type { Stage } from '../../support/stage.ts'
import { type Transcript, show } from '../../support/transcript.ts'
import { within } from '../../support/within.ts'

export interface Datagram {
  bytes: Buffer
  from: RemoteInfo
}

export interface DatagramPeer extends AsyncDisposable {
  readonly lane: string
  readonly socket: Socket
  readonly address: Address
  /** Sends a datagram, to the peer's own address book: a program, a peer, or whoever sent `to`. */
  send(data: string | Uint8Array, to: To): Promise<void>
  /** send, with other words for it in the transcript. */
  sendAs(what: string, data: Uint8Array, to: To): Promise<void>
  /** Waits for a datagram with exactly these bytes. */
  receive(expected: string | Uint8Array): Promise<Datagram>
  /** Waits for a datagram; `describe` checks it, and says what to write of it. */
  receiveAs(describe: (datagram: Datagram) => string): Promise<Datagram>
  /** The next datagram, without a record. */
  next(): Promise<Datagram>
  /** Records that nothing has come so far; the test has waited for an event that proves it would have. */
  nothingYet(): void
  close(): Promise<void>
}

export type To = { address: Address } | Address | Datagram

export async function datagramPeer(stage: Stage, lane: string, host = '127.0.0.1'): Promise<DatagramPeer> {
  const { transcript } = stage
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const arrived: Datagram[] = []
  let wake = (): void => {}
  socket.on('message', (bytes, from) => {
    arrived.push({ bytes, from })
    wake()
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  const address = { host, port: socket.address().port }
  transcript.ports.add(address.port)

  const peer: DatagramPeer = {
    lane,
    socket,
    address,
    async send(data, to) {
      await peer.sendAs(words(Buffer.from(data)), Buffer.from(data), to)
    },
    async sendAs(what, data, to) {
      transcript.add(lane, '▶', what)
      const { host, port } = addressOf(to)
      await new Promise<void>((resolve, reject) => {
        socket.send(data, port, host, (error) => (error === null ? resolve() : reject(error)))
      })
    },
    async next() {
      if (arrived.length === 0) await within(new Promise<void>((resolve) => (wake = resolve)), `a datagram for ${lane}`)
      return arrived.shift()!
    },
    async receive(expected) {
      return await peer.receiveAs(({ bytes }) => {
        if (!bytes.equals(Buffer.from(expected))) {
          throw new Error(`${lane} received ${words(bytes)} where ${words(Buffer.from(expected))} was due`)
        }
        return words(bytes)
      })
    },
    async receiveAs(describe) {
      const datagram = await peer.next()
      transcript.add(lane, '◀', describe(datagram))
      return datagram
    },
    nothingYet() {
      if (arrived.length > 0) throw new Error(`${lane} received ${words(arrived[0]!.bytes)}`)
      transcript.add(lane, '◀', '⋯ nothing yet')
    },
    async close() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
    async [Symbol.asyncDispose]() {
      await peer.close().catch(() => {}) // it may be closed already
    },
  }
  return peer
}

function words(bytes: Buffer): string {
  return bytes.length === 0 ? '(an empty datagram)' : show(bytes)
}

function addressOf(to: To): Address {
  if ('from' in to) return { host: to.from.address, port: to.from.port }
  return 'address' in to ? to.address : to
}

/** A server for the echo client that the scenario plays, so that it can be late, silent or wrong. */
export interface Requests {
  /** The next request, recorded with the text it holds, and with a number in place of its id. */
  receive(): Promise<Request>
  /** An answer to it, with the text that it had or another one. */
  answer(request: Request, text?: string): Promise<void>
}

export interface Request {
  id: Buffer
  text: string
  datagram: Datagram
}

/** @param header how many bytes stand before the text of a request; the first four are its id */
export function requestsOf(peer: DatagramPeer, header = 4): Requests {
  const numbers = new Map<string, number>()
  const numberOf = (id: Buffer): number => {
    const key = id.toString('hex', 0, 4)
    if (!numbers.has(key)) numbers.set(key, numbers.size + 1)
    return numbers.get(key)!
  }
  return {
    async receive() {
      let request: Request | undefined
      await peer.receiveAs((datagram) => {
        const [id, text] = [datagram.bytes.subarray(0, header), datagram.bytes.toString('utf8', header)]
        request = { id, text, datagram }
        return `request ${numberOf(id)}: ${text}`
      })
      return request!
    },
    async answer({ id, text, datagram }, other = text) {
      await peer.sendAs(
        `answer to request ${numberOf(id)}: ${other}`,
        Buffer.concat([id, Buffer.from(other)]),
        datagram,
      )
    },
  }
}

/** A path that loses and doubles datagrams by their number, in each direction, and never by chance. */
export interface LossyPath extends AsyncDisposable {
  readonly address: Address
  /** How many it has lost, and delivered twice. */
  readonly counts: { lost: number; doubled: number }
}

export async function lossyPath(transcript: Transcript, to: Address): Promise<LossyPath> {
  const near = createSocket('udp4') // towards the client
  const far = createSocket('udp4') // towards the server
  const counts = { lost: 0, doubled: 0 }
  let client: RemoteInfo | undefined

  /** Forwards the first, loses the second, forwards the third twice, and so on. */
  const carrier = (forward: (bytes: Buffer) => void): ((bytes: Buffer) => void) => {
    let number = 0
    return (bytes) => {
      number++
      if (number % 3 === 2) counts.lost++
      else forward(bytes)
      if (number % 3 !== 0) return
      counts.doubled++
      forward(bytes)
    }
  }
  const toServer = carrier((bytes) => far.send(bytes, to.port, to.host))
  const toClient = carrier((bytes) => near.send(bytes, client!.port, client!.address))
  near.on('message', (bytes, from) => {
    client = from
    toServer(bytes)
  })
  far.on('message', (bytes) => toClient(bytes))
  for (const socket of [near, far]) {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    transcript.ports.add(socket.address().port)
  }
  return {
    address: { host: '127.0.0.1', port: near.address().port },
    counts,
    async [Symbol.asyncDispose]() {
      for (const socket of [near, far]) {
        const closed = once(socket, 'close')
        socket.close()
        await closed
      }
    },
  }
}
