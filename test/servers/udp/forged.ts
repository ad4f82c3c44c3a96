// Starts servers, sends each of them datagrams whose source nothing can be sent to, then a real one, and prints as JSON which of
// them have answered that. It needs a raw socket, and so it is the parent of the servers: they have to be where it is.
// usage: node forged.ts SERVER ..., each `{ "file": …, "args": […], "question": … }`

import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { AF_INET, IPPROTO_RAW, IPPROTO_UDP, SOCK_RAW, close, inet_pton, sendto, sockaddr_in, socket } from '#posix'
import { within } from '../../support/within.ts'

interface Server {
  file: string
  args: string[]
  question: string
}

const rawFd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
const servers = process.argv.slice(2).map((text) => JSON.parse(text) as Server)
const outcomes = await Promise.all(servers.map(answersAfterForgeries))
console.log(JSON.stringify(outcomes))
close(rawFd)

async function answersAfterForgeries({ file, args, question }: Server): Promise<boolean> {
  const child = spawn(process.execPath, [file, '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const port = Number(line.slice(line.lastIndexOf(':') + 1))
  for (const address of ['127.0.0.1', '127.255.255.255', '0.0.0.0', '239.1.1.1', '192.0.2.250']) {
    for (const from of [0, 7]) {
      const packet = forged(address, from, port, question)
      sendto(rawFd, packet, packet.length, 0, sockaddr_in('127.0.0.1', port))
    }
  }
  const client = createSocket('udp4')
  // One that is alive takes this after all of them: datagrams of one queue do not overtake each other.
  client.send(question, port, '127.0.0.1')
  const answer = once(client, 'message').then(() => true)
  const end = once(child, 'exit').then(() => false)
  const answered = await within(Promise.race([answer, end]), `an answer of ${file}`).catch(() => false)
  client.close()
  child.kill()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return answered
}

/** RFC 791, RFC 768; the kernel fills in the checksum of the one, and the other has none. */
function forged(address: string, from: number, to: number, text: string): Buffer {
  const packet = Buffer.alloc(28 + text.length)
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  packet[8] = 64
  packet[9] = IPPROTO_UDP
  packet.set(inet_pton(AF_INET, address), 12)
  packet.set(inet_pton(AF_INET, '127.0.0.1'), 16)
  packet.writeUInt16BE(from, 20)
  packet.writeUInt16BE(to, 22)
  packet.writeUInt16BE(packet.length - 20, 24)
  packet.write(text, 28, 'latin1')
  return packet
}
