// What the running kernel says of its own types: /sys/kernel/btf/vmlinux, in BTF (BPF type format).
// usage: node btf.ts NAME...

import { readFileSync } from 'node:fs'

const FILE = '/sys/kernel/btf/vmlinux'
const USAGE = `usage: node btf.ts NAME...
NAME is a type, TYPE.FIELD, a function, or one of the names in an enum`

const names = process.argv.slice(2)
if (names.length === 0 || names.some((name) => !/^[a-z_]\w*(\.[a-z_]\w*)?$/i.test(name))) {
  console.error(USAGE)
  process.exit(2)
}

// #region kinds
// The kinds of types in the order of their numbers. Each type has 12 bytes, and then so many more:
// once, and for each of its parts. A kind that is not here could not be stepped over.
const kinds: [kind: string, once: number, part: number][] = [
  ['void', 0, 0],
  ['int', 4, 0],
  ['pointer', 0, 0],
  ['array', 12, 0],
  ['struct', 0, 12],
  ['union', 0, 12],
  ['enum', 0, 8],
  ['forward', 0, 0],
  ['typedef', 0, 0],
  ['volatile', 0, 0],
  ['const', 0, 0],
  ['restrict', 0, 0],
  ['function', 0, 0],
  ['prototype', 0, 8],
  ['variable', 4, 0],
  ['section', 0, 12],
  ['float', 0, 0],
  ['tag of a declaration', 4, 0],
  ['tag of a type', 0, 0],
  ['enum', 0, 12], // with 64 bits a name, of which the lower half is printed here
]
// #endregion kinds

const btf = open()

// #region walk
// struct btf_header: magic, version, flags, its length; then where each section is, and how long.
const header = btf.readUInt32LE(4)
const typesAt = header + btf.readUInt32LE(8)
const typesEnd = typesAt + btf.readUInt32LE(12)
const stringsAt = header + btf.readUInt32LE(16)

// A string is in the file once. So a name is found by its place, and nothing else need be read.
const found = new Map(names.map((name) => [placeOf(name.split('.')[0]!), [] as number[]]))
const types = [0] // where each type is; number 0 is void, which is not in the file
for (let at = typesAt; at < typesEnd;) {
  const info = btf.readUInt32LE(at + 4)
  const number = (info >>> 24) & 0x1f
  const [kind, once, part] = kinds[number] ?? fail(`a type of kind ${number}, unknown here`)
  const count = info & 0xffff
  found.get(btf.readUInt32LE(at))?.push(types.length)
  for (let i = 0; kind === 'enum' && i < count; i++) {
    found.get(btf.readUInt32LE(at + 12 + i * part))?.push(types.length)
  }
  types.push(at)
  at += 12 + once + part * count
}
// #endregion walk

for (const name of names) {
  const [type, field] = name.split('.') as [string, string?]
  const lines = found.get(placeOf(type))!.flatMap((id) => (field ? one(id, field) : all(id)))
  for (const line of lines) console.log(line)
  if (lines.length > 0) continue
  console.error(`${name}: there is no such name in this kernel`)
  process.exitCode = 1
}

interface Type {
  kind: string
  name: string
  size: number // in bytes; of a pointer, a typedef and so on, the type behind it
  /** Members of a struct, with offset and width in bits; names in an enum, with their values. */
  parts: { name: string; type: number; value: number; width: number }[]
}

function typeOf(id: number): Type {
  if (id === 0) return { kind: 'void', name: 'void', size: 0, parts: [] }
  const at = types[id]!
  const info = btf.readUInt32LE(at + 4)
  const [kind, , length] = kinds[(info >>> 24) & 0x1f]!
  const hasParts = ['struct', 'union', 'enum'].includes(kind)
  const parts = Array.from({ length: hasParts ? info & 0xffff : 0 }, (_, i) => {
    const part = at + 12 + i * length
    const name = text(btf.readUInt32LE(part))
    if (kind === 'enum') return { name, type: 0, value: btf.readInt32LE(part + 4), width: 0 }
    // With the highest bit of `info` the width of a bit field is in the upper byte.
    const place = btf.readUInt32LE(part + 8)
    const [width, value] = info >>> 31 ? [place >>> 24, place & 0xffffff] : [0, place]
    return { name, type: btf.readUInt32LE(part + 4), value, width }
  })
  return { kind, name: text(btf.readUInt32LE(at)), size: btf.readUInt32LE(at + 8), parts }
}

/** How many bytes a value of it takes. */
function sizeOf(id: number): number {
  const { kind, size } = typeOf(id)
  if (kind === 'pointer') return 8
  if (kind === 'array') return sizeOf(element(id)) * btf.readUInt32LE(types[id]! + 20)
  return wraps(kind) ? sizeOf(size) : size
}

function element(id: number): number {
  return btf.readUInt32LE(types[id]! + 12)
}

function wraps(kind: string): boolean {
  return ['typedef', 'volatile', 'const', 'restrict', 'tag of a type'].includes(kind)
}

/** A type as C writes it, or nearly so. */
function inC(id: number): string {
  const { kind, name, size } = typeOf(id)
  if (kind === 'pointer') return `${inC(size)}*`
  if (kind === 'array') return `${inC(element(id))}[${btf.readUInt32LE(types[id]! + 20)}]`
  if (kind === 'prototype') return 'function'
  if (kind === 'forward') return `struct ${name}`
  if (kind === 'tag of a type') return inC(size)
  if (kind === 'volatile' || kind === 'const' || kind === 'restrict') return `${kind} ${inC(size)}`
  return ['struct', 'union', 'enum'].includes(kind) ? `${kind} ${name}`.trimEnd() : name
}

// #region print
interface Field {
  name: string
  line: string
}

/** The fields of a struct. What is in a nameless struct or union belongs to the one around it. */
function fields(id: number, from = 0): Field[] {
  return typeOf(id).parts.flatMap(({ name, type, value, width }) => {
    if (name === '') return fields(type, from + value)
    const size = width === 0 ? `${sizeOf(type)} bytes` : `${width} bits`
    const place = Math.floor((from + value) / 8)
    return { name, line: `at ${place}, ${size.replace(/^(1 .*)s$/, '$1')}: ${inC(type)} ${name}` }
  })
}

function all(id: number): string[] {
  const { kind, size, name, parts } = typeOf(id)
  if (kind === 'function') return [`function ${name}`]
  if (kind === 'typedef') return [`typedef ${name}`, ...all(size)]
  if (kind === 'enum') {
    return [inC(id), ...parts.map((part) => `  ${part.name} ${part.value}`)]
  }
  if (kind !== 'struct' && kind !== 'union') return []
  return [`${inC(id)}, ${size} bytes`, ...fields(id).map(({ line }) => `  ${line}`)]
}

function one(id: number, field: string): string[] {
  const own = fields(id).find(({ name }) => name === field)
  return own === undefined ? [] : [`${inC(id)}: ${own.line}`]
}
// #endregion print

/** The place of a name among the strings; -1 if no type has it. */
function placeOf(name: string): number {
  const at = btf.indexOf(`\0${name}\0`, stringsAt, 'latin1')
  return at === -1 ? -1 : at + 1 - stringsAt
}

function text(place: number): string {
  return btf.toString('latin1', stringsAt + place, btf.indexOf(0, stringsAt + place))
}

function open(): Buffer {
  try {
    const bytes = readFileSync(FILE)
    return bytes.readUInt16LE() === 0xeb9f ? bytes : fail('not BTF, or not of this byte order')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return fail(code === 'ENOENT' ? 'this kernel has no such file' : message)
  }
}

function fail(reason: string): never {
  console.error(`${FILE}: ${reason}`)
  process.exit(1)
}
