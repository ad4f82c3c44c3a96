import { execFileSync, spawnSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { AF_INET, SOCK_DGRAM, SOCK_RAW, close, connect, recv, send, sockaddr_in6, socket } from '#posix'
import { programsOf, recordings, testsOf } from '../support/recordings.ts'
import { runToEnd } from '../support/spawn.ts'
import { scenarios } from './socket-api.scenarios.ts'

const slug = 'tcp-ip/socket-api'
const folder = programsOf(slug)
const staged = testsOf(slug)

recordings(slug, scenarios)

describe('datagrams', () => {
  staged('datagram-limit refuses a name', async ({ stage }) => {
    const program = stage.start('program', 'datagram-limit.ts', 'localhost')
    expect(await program.errorLine()).toBe('usage: node datagram-limit.ts [ADDRESS]')
    expect((await program.exit()).status).toBe(2)
  })

  staged('an address of another host is one line on standard error', async ({ stage }) => {
    const program = stage.start('program', 'datagram-limit.ts', '192.0.2.1')
    expect(await program.errorLine()).toBe('bind EADDRNOTAVAIL: address not available 192.0.2.1:0')
    expect((await program.exit()).status).toBe(1)
  })
})

describe('structures', () => {
  const c = `
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#define SIZE(type) printf("%s, %zu bytes\\n", #type, sizeof(type))
#define AT(type, field) printf("%zu %s\\n", offsetof(type, field), #field)
int main(void) {
  SIZE(struct in_addr); AT(struct in_addr, s_addr);
  SIZE(struct sockaddr_in);
  AT(struct sockaddr_in, sin_family); AT(struct sockaddr_in, sin_port);
  AT(struct sockaddr_in, sin_addr); AT(struct sockaddr_in, sin_zero);
  SIZE(struct sockaddr); AT(struct sockaddr, sa_family); AT(struct sockaddr, sa_data);
  SIZE(struct sockaddr_in6);
  AT(struct sockaddr_in6, sin6_family); AT(struct sockaddr_in6, sin6_port); AT(struct sockaddr_in6, sin6_flowinfo);
  AT(struct sockaddr_in6, sin6_addr); AT(struct sockaddr_in6, sin6_scope_id);
  SIZE(struct sockaddr_un); AT(struct sockaddr_un, sun_family); AT(struct sockaddr_un, sun_path);
  SIZE(struct sockaddr_storage); AT(struct sockaddr_storage, ss_family);
  SIZE(struct addrinfo);
  AT(struct addrinfo, ai_flags); AT(struct addrinfo, ai_family); AT(struct addrinfo, ai_socktype);
  AT(struct addrinfo, ai_protocol); AT(struct addrinfo, ai_addrlen); AT(struct addrinfo, ai_addr);
  AT(struct addrinfo, ai_canonname); AT(struct addrinfo, ai_next);
}
`
  const compiler = spawnSync('cc', ['--version']).status === 0

  test.skipIf(!compiler)('structs.ts gives each field the place that the C compiler gives it', async () => {
    const build = mkdtempSync(join(tmpdir(), 'structs-'))
    try {
      writeFileSync(join(build, 'structs.c'), c)
      execFileSync('cc', ['-o', join(build, 'structs'), join(build, 'structs.c')])
      const fromC = (await runToEnd(join(build, 'structs'), [])).stdout.trim().split('\n')
      const page = await runToEnd(process.execPath, ['structs.ts'], { cwd: folder })
      const fromPage = page.stdout
        .replace('the same as ', '')
        .split('\n')
        .flatMap((line) => {
          const size = /^(struct \w+),.* (\d+) bytes$/.exec(line)
          if (size !== null) return [`${size[1]}, ${size[2]} bytes`]
          const field = /^ +(\d+) {2}(\w+)/.exec(line)
          return field === null ? [] : [`${field[1]} ${field[2]}`]
        })
      expect(fromPage).toEqual(fromC)
    } finally {
      rmSync(build, { recursive: true })
    }
  })

  test('hostent keeps its type and length in an int: 4 bytes each', () => {
    const gethostbyname = koffi.load('libc.so.6').func('void *gethostbyname(const char *)')
    const hostent = Buffer.from(koffi.view(gethostbyname('192.0.2.1') as bigint, 32)) // name, aliases, type, length, list
    expect([hostent.readInt32LE(16), hostent.readInt32LE(20)]).toEqual([AF_INET, 4])
  })
})

describe('names', () => {
  test('inet_ntoa returns the same memory each time, so that a second call changes what the first one gave', () => {
    const inet_ntoa = koffi.load('libc.so.6').func('void *inet_ntoa(uint32_t)')
    const first = inet_ntoa(0x01_00_00_7f) as bigint
    expect(koffi.decode(first, 'char', -1)).toBe('127.0.0.1')
    const second = inet_ntoa(0x01_02_00_c0) as bigint
    expect(second).toBe(first)
    expect(koffi.decode(first, 'char', -1)).toBe('192.0.2.1')
  })

  staged('exercise-resolve answers what dns.lookup answers', async ({ stage }) => {
    const addresses = await lookup('localhost', { all: true, order: 'verbatim' })
    const program = stage.start('program', 'exercise-resolve.ts', 'localhost')
    expect(await program.lines(addresses.length)).toEqual(addresses.map(({ address }) => address))
    expect((await program.exit()).status).toBe(0)
  })

  staged('exercise-resolve says in one line what it did not find', async ({ stage }) => {
    const program = stage.start('program', 'exercise-resolve.ts', 'x..y')
    expect(await program.errorLine()).toBe('getaddrinfo EAI_NONAME: name or service not known x..y')
    expect((await program.exit()).status).toBe(1)
    const without = stage.start('program', 'exercise-resolve.ts')
    expect(await without.errorLine()).toBe('usage: node exercise-resolve.ts NAME [SERVICE]')
    expect((await without.exit()).status).toBe(2)
  })
})

describe('descriptors and failures', () => {
  test('Node ignores SIGPIPE, which is why send gives EPIPE and the program lives', () => {
    const ignored = /^SigIgn:\s+([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
    const SIGPIPE = 13n
    expect((BigInt(`0x${ignored}`) >> (SIGPIPE - 1n)) & 1n).toBe(1n)
  })

  test('a length past the end of the buffer is refused before the kernel sees it', () => {
    const fd = socket(AF_INET, SOCK_DGRAM, 0)
    try {
      const buf = Buffer.alloc(10)
      expect(() => recv(fd, buf, 11, 0)).toThrow(new RangeError('recv: len is 11, the buffer has 10 bytes'))
      expect(() => send(fd, buf, 11, 0)).toThrow(new RangeError('send: len is 11, the buffer has 10 bytes'))
    } finally {
      close(fd)
    }
  })

  test('a socket of one family takes no address of another', () => {
    const fd = socket(AF_INET, SOCK_DGRAM, 0)
    try {
      expect(() => connect(fd, sockaddr_in6('::1', 9))).toThrow('connect EAFNOSUPPORT')
    } finally {
      close(fd)
    }
  })

  test('SOCK_RAW without a protocol does not exist', () => {
    expect(() => socket(AF_INET, SOCK_RAW, 0)).toThrow(/^socket E(?:PROTONOSUPPORT|PERM)/)
  })
})

describe('word count', () => {
  staged('a word that comes a byte at a time is one word', async ({ stage }) => {
    const server = await stage.serve('server', 'exercise-word-count.ts', 0)
    const client = await stage.connect('client', server)
    for (const byte of 'ab cd\n') await client.send(byte)
    await client.halfClose()
    await client.receive('1 lines, 2 words, 6 bytes\n')
    await client.receiveEnd()
  })

  staged('nothing, a megabyte, and a reset; the server goes on', async ({ stage }) => {
    const server = await stage.serve('server', 'exercise-word-count.ts', 0)
    const silent = await stage.connect('client 1', server)
    await silent.halfClose()
    await silent.receive('0 lines, 0 words, 0 bytes\n')
    const rude = await stage.connect('client 2', server)
    await rude.send('half a')
    await rude.reset()
    expect(await server.line()).toBe('0 lines, 0 words, 0 bytes')
    expect(await server.line()).toBe('the client is gone')
    const large = await stage.connect('client 3', server)
    await large.send('0123456 \n'.repeat(100_000))
    await large.halfClose()
    await large.receive('100000 lines, 100000 words, 900000 bytes\n')
    await large.receiveEnd()
  })

  staged.for(['', '70000', 'abc', '-1'])('refuses the port %j', async (port, { stage }) => {
    const program = stage.start('server', 'exercise-word-count.ts', port)
    expect(await program.errorLine()).toBe('usage: node exercise-word-count.ts PORT [HOST]')
    expect((await program.exit()).status).toBe(2)
  })

  staged('a port that is taken is one line on standard error', async ({ stage }) => {
    const { address } = await stage.serve('server', 'exercise-word-count.ts', 0)
    const second = stage.start('second', 'exercise-word-count.ts', address.port)
    expect(await second.errorLine()).toBe(`bind EADDRINUSE: address already in use 127.0.0.1:${address.port}`)
    expect((await second.exit()).status).toBe(1)
  })
})

describe('posix/ on a machine that it does not know', () => {
  test.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
  ])('says so in one line: %s on %s', async (platform, arch) => {
    const pretend = `for (const [name, value] of Object.entries(${JSON.stringify({ platform, arch })}))
      Object.defineProperty(process, name, { value })`
    const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
    const command = ['--import', preload, 'stream.ts']
    const { status, stdout, stderr } = await runToEnd(process.execPath, command, { cwd: folder })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`this is ${platform} on ${arch}`)
  })
})
