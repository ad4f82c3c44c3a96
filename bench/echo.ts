// The echo servers of page 2.3 under the same load, beside one in C and one on node:net: `npm run bench:echo`.
//
// 1, 50 or 500 connections are busy with messages of 64 bytes. The table has messages a second, in parts of what C echoes, and the
// processor's time that the server spends on a message, in parts of C's. Needs a C compiler (cc), taskset (util-linux), two cores.
//
// usage: node bench/echo.ts [ROUNDS [MILLISECONDS [NAME]]]    (NAME: only the servers whose name has it, and C)

import { join } from 'node:path'
import { type Load, type Server, measure, needs, print, withCompiled } from './rounds.ts'

const [rounds = 7, milliseconds = 500] = process.argv.slice(2, 4).map(Number)
const [wanted = ''] = process.argv.slice(4)
const loads: Load[] = [1, 50, 500].map((connections) => ({ connections, lines: 1, prefix: 0 }))

needs()
await withCompiled(['echo'], async ([echo]) => {
  const page = join(import.meta.dirname, '..', 'snippets', 'servers', 'multiplexing')
  const ofPage = (file: string): string[] => [process.execPath, join(page, file), '0']
  const all: Server[] = [
    { name: 'C, epoll', command: [echo!, '0'] },
    { name: 'epoll-server.ts', command: ofPage('epoll-server.ts') },
    { name: 'epoll-edge-server.ts', command: ofPage('epoll-edge-server.ts') },
    { name: 'epoll-oneshot-server.ts', command: ofPage('epoll-oneshot-server.ts') },
    { name: 'poll-server.ts', command: ofPage('poll-server.ts') },
    { name: 'select-server.ts', command: ofPage('select-server.ts'), greeting: 'Welcome to server!\n'.length },
    { name: 'node:net', command: [process.execPath, join(import.meta.dirname, 'echo-net.ts'), '0'] },
  ]
  const servers = all.filter(({ name }, i) => i === 0 || name.includes(wanted))
  const results = await measure(servers, loads, { rounds, milliseconds })
  const head = ({ connections }: Load): string => `${connections} connections`
  print('messages a second', servers, loads, head, results, 'rate')
  print('processor time of the server a message', servers, loads, head, results, 'cost')
})
