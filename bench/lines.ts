// The scheduler of page 3.1 beside the same framework in CPython and beside node:net, answering lines: `npm run bench:lines`.
//
// 1 or 50 connections each send lines of 64 bytes and wait for the answers before they send again: one line at a time, where the
// kernel's work and the way to it are most of the time, and 16 lines at a time, which is where a buffered readline comes into its
// own. The last lines are lines a second in parts of what the others answer.
// Needs python3, a C compiler (cc), taskset (util-linux), two cores with nothing else to do.
//
// usage: node bench/lines.ts [ROUNDS [MILLISECONDS]]

import { join } from 'node:path'
import { type Load, type Server, measure, needs, print, ratio, withCompiled } from './rounds.ts'

const [rounds = 7, milliseconds = 500] = process.argv.slice(2).map(Number)
const PREFIX = 'GOT:'.length
const loads: Load[] = [1, 16].flatMap((lines) => [1, 50].map((connections) => ({ connections, lines, prefix: PREFIX })))

const file = (name: string): string => join(import.meta.dirname, name)
const typescript = (name: string, ...args: string[]): Server => ({
  name,
  command: [process.execPath, file('lines-coroutines.ts'), ...args, '0'],
})
const cpython = (name: string, ...args: string[]): Server => ({
  name,
  command: ['python3', file('lines.py'), ...args, '0'],
})

const net: Server = { name: 'node:net', command: [process.execPath, file('lines-net.ts'), '0'] }
const buffered = typescript('epoll, buffered', 'epoll', 'buffered')
const bufferedInPython = cpython('epoll, buffered, CPython', 'epoll', 'buffered')
const byByte = typescript('select, byte by byte', 'select', 'byte')
const byByteInPython = cpython('select, byte by byte, CPython', 'select', 'byte')

needs('python3')
await withCompiled(['load'], async ([load]) => {
  const servers = [net, buffered, bufferedInPython, byByte, byByteInPython]
  const results = await measure(servers, loads, { rounds, milliseconds, load: load! })
  const head = ({ connections, lines }: Load): string => `${connections} × ${lines}`
  const title = 'by connections × lines at a time (in brackets: to node:net)'
  print(`lines a second, ${title}`, servers, loads, head, results, 'rate')
  print(`processor time of the server a line, ${title}`, servers, loads, head, results, 'cost')
  for (const [what, ours, theirs] of [
    ['buffered, to node:net', buffered, net],
    ['buffered, to CPython', buffered, bufferedInPython],
    ['byte by byte, to CPython', byByte, byByteInPython],
  ] as const) {
    const ratios = loads.map((one) => ratio(results, ours, theirs, one, 'rate').toFixed(2).padStart(20))
    console.log(what.padEnd(28) + ratios.join(''))
  }
})
