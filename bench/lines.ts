// The scheduler of page 3.1 beside the same framework in CPython and beside node:net, answering lines: `npm run bench:lines`.
//
// 1 or 50 connections each send lines of 64 bytes and wait for the answers before they send again: one line at a time, where the
// kernel's work and the way to it are most of the time, and 16 or 64 lines at a time, which is where a buffered readline comes into
// its own. CPython has the same short cuts; beside it are one with one event a line in readline, as page 3.1 has it, and one that waits
// before each call, as the recipe does (lines.py). Each ratio is to the first server of its table. Needs python3, a C compiler (cc),
// taskset (util-linux), two cores with nothing else to do.
//
// usage: node bench/lines.ts [ROUNDS [MILLISECONDS [NAME]]]    (NAME: only the tables whose name has it)

import { join } from 'node:path'
import { type Load, type Server, measure, needs, print } from './rounds.ts'

const [rounds = 7, milliseconds = 500] = process.argv.slice(2, 4).map(Number)
const [wanted = ''] = process.argv.slice(4)
const PREFIX = 'GOT:'.length

const file = (name: string): string => join(import.meta.dirname, name)
const typescript = (name: string, ...args: string[]): Server => ({
  name,
  command: [process.execPath, file('lines-coroutines.ts'), ...args, '0'],
})
const cpython = (name: string, poller: string, reader: string, ...recipe: string[]): Server => ({
  name,
  command: ['python3', file('lines.py'), poller, reader, '0', ...recipe],
})
const net: Server = { name: 'node:net', command: [process.execPath, file('lines-net.ts'), '0'] }
const buffered = typescript('TypeScript', 'epoll', 'buffered')

/** The servers of each table, and how many connections send how many lines at a time. */
const tables: [name: string, servers: Server[], loads: [connections: number, lines: number][]][] = [
  [
    'epoll, buffered',
    [
      cpython('CPython', 'epoll', 'buffered'),
      cpython('CPython, as the recipe waits', 'epoll', 'buffered', 'recipe'),
      buffered,
    ],
    [
      [1, 1],
      [50, 1],
      [50, 16],
      [50, 64],
    ],
  ],
  [
    'select, byte by byte',
    [
      cpython('CPython', 'select', 'byte'),
      cpython('CPython, one event a line', 'select', 'byte-once'),
      cpython('CPython, as the recipe waits', 'select', 'byte', 'recipe'),
      typescript('TypeScript', 'select', 'byte'),
    ],
    [
      [1, 1],
      [50, 1],
    ],
  ],
  [
    'epoll, buffered, and node:net',
    [net, buffered],
    [
      [1, 1],
      [50, 1],
      [50, 16],
    ],
  ],
]

needs('python3')
for (const [name, servers, pairs] of tables.filter(([name]) => name.includes(wanted))) {
  const loads = pairs.map(([connections, lines]): Load => ({ connections, lines, prefix: PREFIX }))
  const results = await measure(servers, loads, { rounds, milliseconds })
  const head = ({ connections, lines }: Load): string => `${connections} × ${lines}`
  print(`${name}: lines a second, by connections × lines at a time`, servers, loads, head, results, 'rate')
  print(`${name}: processor time of the server a line`, servers, loads, head, results, 'cost')
}
