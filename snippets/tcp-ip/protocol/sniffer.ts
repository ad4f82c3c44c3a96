// Runs a program, and prints which segments have gone over the loopback interface meanwhile.
// usage: node sniffer.ts PROGRAM [ARGUMENT …] (needs CAP_NET_RAW: unshare -Urn, with lo up)

import { spawnSync } from 'node:child_process'
import {
  AF_PACKET,
  ETH_P_IP,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  TH_ACK,
  TH_FIN,
  TH_RST,
  TH_SYN,
  close,
  htons,
  packet,
  socket,
  tryRecv,
} from '#posix'

const [program, ...args] = process.argv.slice(2)
if (program === undefined) {
  console.error('usage: node sniffer.ts PROGRAM [ARGUMENT …]')
  process.exit(2)
}

// #region capture
let wireFd: number
try {
  wireFd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)) // a copy of each packet that arrives
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
const { status } = spawnSync(process.execPath, [...process.execArgv, program, ...args], {
  stdio: 'inherit',
})
// #endregion capture

// #region print
const names = new Map<number, string>() // by port
const first = new Map<number, number>() // the first number that a port has sent
const buf = Buffer.alloc(65_536)
let clients = 0
for (let length; (length = tryRecv(wireFd, buf, buf.length, MSG_DONTWAIT)) > 0;) {
  const { protocol, source, destination, bytes, tcp } = packet(buf.subarray(0, length))
  if (protocol !== IPPROTO_TCP) continue
  const [from, to] = [source.port!, destination.port!]
  const { flags, seq, ack } = tcp!
  if (flags & TH_SYN) first.set(from, seq)
  if (flags & TH_SYN && !(flags & TH_ACK)) {
    clients++
    names.set(from, clients === 1 ? 'client' : `client ${clients}`).set(to, 'server')
  }
  if (!names.has(from)) continue // its SYN was not seen: a connection that is older than this
  const kind = bytes > 0 ? `${bytes} bytes` : flagsOf(flags)
  if (kind === 'ACK') continue // when it comes is the kernel's affair
  const words = [kind, `seq ${(seq - (first.get(from) ?? seq)) >>> 0}`]
  if (flags & TH_ACK) words.push(`ack ${(ack - (first.get(to) ?? ack)) >>> 0}`)
  console.log(`${names.get(from)} → ${names.get(to)}: ${words.join(', ')}`)
}
// #endregion print
close(wireFd)
process.exitCode = status ?? 1

function flagsOf(bits: number): string {
  const flags = { SYN: TH_SYN, FIN: TH_FIN, RST: TH_RST, ACK: TH_ACK }
  const set = Object.entries(flags).filter(([, bit]) => bits & bit)
  return set.map(([flag]) => flag).join('+')
}
