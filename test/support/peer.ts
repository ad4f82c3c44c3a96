// A TCP peer with a name, driven step by step: each act and each answer becomes a line of the transcript.

import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import type { Address } from './program.ts'
import { type Transcript, show } from './transcript.ts'
import { within } from './within.ts'

export interface Peer {
  readonly lane: string
  readonly socket: Socket
  /** Sends bytes and waits until the kernel has taken them. */
  send(data: string | Uint8Array): Promise<void>
  /** Waits for exactly these bytes; anything else is an error. */
  receive(expected: string | Uint8Array): Promise<void>
  /** Waits for the peer's end of stream. Bytes that come before it are an error. */
  receiveEnd(): Promise<void>
  /** Waits until the connection is reset by the peer. */
  receiveReset(): Promise<void>
  /** Waits until the server has closed, whichever way: with a reset where bytes of ours were left unread. */
  receiveEndOrReset(): Promise<void>
  /** Records that nothing has come so far; the test has waited for an event that proves it would have. */
  nothingYet(): void
  /** Ends the sending direction (shutdown SHUT_WR), the other stays open. */
  halfClose(): Promise<void>
  /** Closes in order. */
  close(): Promise<void>
  /** Closes with a reset (RST). */
  reset(): Promise<void>
  /** Closes without a record, for the end of a test. */
  destroy(): Promise<void>
}

export async function connectPeer(lane: string, { host, port }: Address, transcript: Transcript): Promise<Peer> {
  const socket = connect({ host, port, allowHalfOpen: true })
  await within(once(socket, 'connect'), `${lane} to connect to ${host}:${port}`)
  transcript.add(lane, '─', 'connect')
  return peerOf(lane, socket, transcript)
}

/** Makes a peer of a connected socket, for instance one that a test's own server accepted. */
export function peerOf(lane: string, socket: Socket, transcript: Transcript): Peer {
  if (socket.localPort !== undefined) transcript.ports.add(socket.localPort)
  const received: Buffer[] = []
  let error: NodeJS.ErrnoException | undefined
  let ended = false
  let wake = () => {}
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk)
    wake()
  })
  socket.on('end', () => {
    ended = true
    wake()
  })
  socket.on('error', (reason) => {
    error = reason
    wake()
  })
  const closed = once(socket, 'close').catch(() => {})

  /** Resolves once `condition` holds; it is looked at after each event of the socket. */
  async function until(condition: () => boolean, what: string): Promise<void> {
    const state = () =>
      `${lane} has ${show(Buffer.concat(received)) || 'nothing'}${ended ? ', then end of stream' : ''}${error ? `, then ${error.code}` : ''}`
    const waiting = (async () => {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
    })()
    await within(waiting, what).catch((reason: Error) => {
      throw new Error(`${reason.message}; ${state()}`)
    })
  }

  return {
    lane,
    socket,
    async send(data) {
      const bytes = Buffer.from(data)
      transcript.add(lane, '▶', show(bytes))
      await within(
        new Promise<void>((resolve, reject) => socket.write(bytes, (reason) => (reason ? reject(reason) : resolve()))),
        `${lane} to send ${show(bytes)}`,
      )
    },
    async receive(expected) {
      const bytes = Buffer.from(expected)
      const enough = () => received.reduce((sum, chunk) => sum + chunk.length, 0) >= bytes.length
      await until(() => enough() || ended || error !== undefined, `${lane} to receive ${show(bytes)}`)
      const all = Buffer.concat(received.splice(0))
      const taken = all.subarray(0, bytes.length)
      if (all.length > bytes.length) received.push(all.subarray(bytes.length))
      if (!taken.equals(bytes))
        throw new Error(`${lane} received ${show(taken) || 'nothing'} where ${show(bytes)} was due`)
      transcript.add(lane, '◀', show(taken))
    },
    async receiveEnd() {
      await until(() => ended || error !== undefined || received.length > 0, `${lane} to receive the end of the stream`)
      if (received.length > 0)
        throw new Error(`${lane} received ${show(Buffer.concat(received))} where the end was due`)
      if (error !== undefined) throw new Error(`${lane}: ${error.message} where the end of the stream was due`)
      transcript.add(lane, '─', 'end of stream')
    },
    async receiveReset() {
      await until(() => ended || error !== undefined, `${lane} to be reset`)
      if (error?.code !== 'ECONNRESET')
        throw new Error(`${lane}: ${error?.message ?? 'end of stream'} where a reset was due`)
      transcript.add(lane, '─', 'reset by peer')
    },
    async receiveEndOrReset() {
      await until(() => ended || error !== undefined || received.length > 0, `${lane} to receive an end or a reset`)
      if (received.length > 0) throw new Error(`${lane} received ${show(Buffer.concat(received))} where an end was due`)
      transcript.add(lane, '─', 'closed by the server')
    },
    nothingYet() {
      if (received.length > 0 || ended || error)
        throw new Error(`${lane} received ${show(Buffer.concat(received)) || 'an end'}`)
      transcript.add(lane, '◀', '⋯ nothing yet')
    },
    async halfClose() {
      transcript.add(lane, '─', 'half-close')
      await within(new Promise<void>((resolve) => socket.end(resolve)), `${lane} to half-close`)
    },
    async close() {
      transcript.add(lane, '─', 'close')
      socket.end()
      socket.destroySoon()
      await within(closed, `${lane} to close`)
    },
    async reset() {
      transcript.add(lane, '─', 'reset')
      socket.resetAndDestroy()
      await within(closed, `${lane} to reset`)
    },
    async destroy() {
      socket.destroy()
      await within(closed, `${lane} to be destroyed`)
    },
  }
}
