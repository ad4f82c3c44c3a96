import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import * as posix from '#posix'

// What each name means is shown by the tests of the calls. Here all of them are compared with the headers of C.

const exported = Object.entries(posix).filter((entry): entry is [string, number] => typeof entry[1] === 'number')

const headers = [
  'arpa/inet.h',
  'errno.h',
  'fcntl.h',
  'linux/aio_abi.h',
  'linux/if_ether.h',
  'linux/io_uring.h',
  'linux/sockios.h',
  'net/if.h',
  'netdb.h',
  'netinet/in.h',
  'netinet/tcp.h',
  'poll.h',
  'sched.h',
  'signal.h',
  'stdio.h',
  'sys/epoll.h',
  'sys/file.h',
  'sys/ioctl.h',
  'sys/mman.h',
  'sys/prctl.h',
  'sys/resource.h',
  'sys/select.h',
  'sys/socket.h',
  'sys/time.h',
  'sys/un.h',
  'sys/wait.h',
  'unistd.h',
]

/** Compiles and runs a program, which prints `name value` lines. */
function inC(name: string, statements: readonly string[]): Map<string, number> {
  const file = join(inject('runFolder'), name)
  const includes = headers.map((header) => `#include <${header}>`)
  const program = ['#define _GNU_SOURCE', ...includes, 'int main(void) {', ...statements, 'return 0;', '}', '']
  writeFileSync(`${file}.c`, program.join('\n'))
  execFileSync('cc', ['-o', file, `${file}.c`])
  const lines = execFileSync(file, { encoding: 'utf8' }).trim().split('\n')
  return new Map(lines.map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}

const compiler = spawnSync('cc', ['--version']).status === 0
if (!compiler) console.warn('skipped: the constants of posix/ beside the headers of C: there is no compiler (cc)')

describe.skipIf(!compiler)('beside the headers of C', () => {
  test('every constant', () => {
    const statements = exported.flatMap(([name]) => [
      `#ifdef ${name}`,
      `printf("${name} %lld\\n", (long long)(${name}));`,
      '#endif',
    ])
    const ofC = inC('constants', statements)
    const unknown = exported.filter(([name]) => !ofC.has(name)).map(([name]) => name)
    expect(unknown, 'names that the headers do not have').toEqual([])
    expect(exported.length).toBeGreaterThan(120)
    // EPOLLET is the top bit of a uint32_t; some headers have it as a negative int.
    const unsigned = (value: number): number => (value < 0 ? value + 2 ** 32 : value)
    expect(Object.fromEntries(exported)).toEqual(
      Object.fromEntries([...ofC].map(([name, value]) => [name, unsigned(value)])),
    )
  })

  test('the size of every structure', () => {
    const sizes: Record<string, number> = {
      sockaddr_in: posix.sockaddr_in('127.0.0.1', 0).byteLength,
      sockaddr_in6: posix.sockaddr_in6('::1', 0).byteLength,
      sockaddr_un: posix.sockaddr_un('').byteLength,
      sockaddr_storage: posix.sockaddr_storage().byteLength,
      linger: posix.linger(true, 1).byteLength,
      timeval: posix.timeval(1).byteLength,
      pollfd: posix.pollfds(1).bytes.byteLength,
      epoll_event: posix.epoll_events(1).words.byteLength,
      io_uring_params: posix.io_uring_params().byteLength,
      iocb: 64,
      addrinfo: 48,
      msghdr: 56,
      iovec: 16,
      cmsghdr: posix.cmsg({ level: 0, type: 0, data: new Uint8Array() }).byteLength,
      ip_mreqn: posix.ip_mreqn('239.1.2.3', '0.0.0.0').byteLength,
      in_pktinfo: 12,
      ifreq: 40,
    }
    const statements = Object.keys(sizes).map((name) => `printf("${name} %zu\\n", sizeof(struct ${name}));`)
    expect(Object.fromEntries(inC('sizes', statements))).toEqual(sizes)
    expect(inC('fd-set', ['printf("fd_set %zu\\n", sizeof(fd_set));']).get('fd_set')).toBe(posix.fd_set().byteLength)
  })
})

describe('without a compiler', () => {
  test('no name is there for two things', () => {
    const groups = ['AF_', 'SO_', 'TCP_', 'SHUT_', 'POLL', 'EPOLL_CTL_', 'AI_', 'MSG_', 'F_GET', 'F_SET']
    for (const prefix of groups) {
      const values = exported.filter(([name]) => name.startsWith(prefix)).map(([, value]) => value)
      expect(new Set(values).size, prefix).toBe(values.length)
    }
  })

  test('epoll and poll call the same events by the same numbers', () => {
    const numbers = new Map(exported)
    const names = [...numbers.keys()].filter((name) => name.startsWith('POLL') && name !== 'POLLNVAL')
    expect(names).toHaveLength(6)
    for (const name of names) expect(numbers.get(`E${name}`), name).toBe(numbers.get(name))
  })

  test('libc knows the families', () => {
    const families = posix.getaddrinfo('127.0.0.1', '1').map(({ family }) => family)
    expect(new Set(families)).toEqual(new Set([posix.AF_INET]))
    expect(posix.endpoint(posix.getaddrinfo('::1', '1')[0]!.addr).family).toBe(posix.AF_INET6)
  })
})
