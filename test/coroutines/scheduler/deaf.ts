// A client that sends and never reads, and for which the kernel holds little: its receive buffer and its segments are as small as they
// can be, so that a server that answers it has nowhere to put the answers soon. socket(7), tcp(7)

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TCP_MAXSEG,
  close,
  connect,
  endpoint,
  getsockname,
  linger,
  setNonBlocking,
  setsockopt,
  sockaddr_in,
  socket,
  SO_LINGER,
  trySend,
} from '#posix'
import { isIn, sleeps } from '../../support/blocked.ts'
import { unread } from '../../support/leaks.ts'
import type { Program } from '../../support/program.ts'
import type { Stage } from '../../support/stage.ts'
import { until } from '../../support/within.ts'

export interface Deaf {
  /** Sends a line that is longer than what the kernel takes of its answer, until the server sleeps in send; recorded. */
  untilInSend(): Promise<void>
  /** Sends empty lines until the server has stopped reading it, and sleeps; recorded. */
  untilHeldBack(): Promise<void>
  /** Closes with a reset (RST); recorded. */
  reset(): void
  /** Closes without a record. */
  destroy(): void
}

const EMPTY_LINES = Buffer.alloc(65_536, '\n')

export function connectDeaf(stage: Stage, lane: string, server: Program): Deaf {
  const { host, port } = server.address
  const fd = socket(AF_INET, SOCK_STREAM, 0)
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 1) // the kernel's minimum
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, 536)
  connect(fd, sockaddr_in(host, port))
  const { address, port: ownPort = 0 } = endpoint(getsockname(fd, sockaddr_in(host, 0)))
  setNonBlocking(fd)
  stage.transcript.add(lane, '─', 'connect')
  let open = true

  function destroy(): void {
    if (!open) return
    open = false
    setsockopt(fd, SOL_SOCKET, SO_LINGER, linger(true, 0))
    close(fd)
  }

  return {
    async untilInSend() {
      stage.transcript.add(lane, '▶', 'a line of more than 65,536 bytes, and reads nothing')
      // Longer than what a send buffer holds at first: room for some segments, or the middle number of tcp_wmem. tcp(7)
      const [, start = ''] = readFileSync('/proc/sys/net/ipv4/tcp_wmem', 'latin1').split('\t')
      const line = Buffer.alloc(Math.max(65_538, 3 * Number(start)), 'a')
      line[line.length - 1] = 10
      let sent = 0
      await until(() => {
        if (sent < line.length) sent += Math.max(trySend(fd, line.subarray(sent), line.length - sent, 0), 0)
        return isIn('send', server.pid) && sleeps(server.pid)
      }, `${server.lane} to sleep in send`)
      await server.waitsIn('send')
    },
    async untilHeldBack() {
      stage.transcript.add(lane, '▶', 'lines, over and over, and reads nothing')
      const waiting = (): number => unread(server.address, { host: address, port: ownPort })
      await until(() => {
        if (trySend(fd, EMPTY_LINES, EMPTY_LINES.length, 0) >= 0) return false // the kernel still takes some
        return waiting() > 0 && sleeps(server.pid) && waiting() > 0
      }, `${server.lane} to hold back`)
      stage.transcript.add(lane, '─', 'is held back')
    },
    reset() {
      stage.transcript.add(lane, '─', 'reset')
      destroy()
    },
    destroy,
  }
}
