// The plan of the book, and its only home: the sidebar, the table on the front page and the tests all read it.
//
// `covers` says where each heading, figure, table and listing of the source went: its line in the source, its own words, and the
// anchor on our page ('' is the top of the page). A page exists once its file does; nothing here has to be flipped when it is written.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

export interface Cover {
  /** Line of the source. */
  line: number
  /** What the source calls it; a figure, table or listing without a name is called by what it is. */
  heading: string
  /** Anchor on the page that replaces it, without '#'; '' is the top of the page. */
  at: string
}

export interface Page {
  /** Path under docs/ without the extension; the same path names the page's folder in snippets/ and its test in test/. */
  slug: string
  /** Number of the source's section; '' where the book goes beyond the source. */
  number: string
  /** Title with the number, as the sidebar and the page's own first heading have it. */
  title: string
  /** One line for the plan on the front page. */
  about: string
  covers: Cover[]
}

export interface Chapter {
  title: string
  pages: Page[]
}

function page(
  slug: string,
  number: string,
  name: string,
  about: string,
  covers: [line: number, heading: string, at: string][],
): Page {
  return {
    slug,
    number,
    title: number === '' ? name : `${number} ${name}`,
    about,
    covers: covers.map(([line, heading, at]) => ({ line, heading, at })),
  }
}

/** The front page. It is no part of a chapter, but it replaces the source's first pages. */
export const frontPage: Page = page('index', '', 'Live Sockets', 'What the book is and how to read it', [
  [1, 'table of revisions', 'where-it-comes-from'],
  [20, '目录', 'the-plan'],
  [82, '图表目录', 'the-plan'],
])

export const chapters: Chapter[] = [
  {
    title: '1 TCP/IP',
    pages: [
      page('tcp-ip/protocol', '1.1', 'The protocol', 'The eleven states of a TCP connection, observed one by one', [
        [102, '1 TCP/IP编程原理', ''],
        [104, '1.1 TCP/IP协议原理', ''],
        [110, '图 TCP State machie', 'the-state-machine'],
        [114, 'figure: the packets of one connection', 'one-connection-packet-by-packet'],
        [120, '[Nagle Algorithms]', 'nagle'],
        [124, 'listing: man tcp', 'the-standards'],
      ]),
      page(
        'tcp-ip/socket-api',
        '1.2',
        'The socket API',
        'Descriptors, addresses and calls, from TypeScript straight to the kernel',
        [
          [137, '1.2 socket编程基础', ''],
          [139, '1.2.1 socket概论', 'three-kinds-of-socket'],
          [145, '图1 应用程序与Windows Socket关系图', 'where-the-api-sits'],
          [161, '图2 面向连接协议的SOCKET编程模型', 'the-calls-in-order'],
          [163, '1.2.2 常用socket API', 'the-calls'],
          [165, 'listing: prototypes', 'the-calls'],
          [183, 'table: DNS and IP address functions', 'names-and-addresses'],
          [192, '1.2.3 常用socket结构', 'the-structs'],
          [196, 'listing: structs', 'the-structs'],
        ],
      ),
      page(
        'tcp-ip/socket-options',
        '1.3.1',
        'Socket options',
        'Every option read and set live, and what a close does with unsent data',
        [
          [225, '1.3 socket高级编程', ''],
          [227, '1.3.1 socket属性控制', ''],
          [231, '表格 1 linux平台下 socket默认值（getsockopt获取）', 'the-defaults'],
        ],
      ),
      page('tcp-ip/buffers', '1.3.2', 'Buffers', 'MTU, MSS, and how large a socket buffer really is', [
        [267, '1.3.2 socket缓冲区的影响', ''],
        [275, '表格 2 不同网络条件下的MTU', 'mtu'],
        [298, 'listing: sysctl.conf', 'system-wide-limits'],
        [305, 'listing: buffer sizes from Python', 'reading-the-sizes'],
      ]),
      page(
        'tcp-ip/send-and-recv',
        '1.3.3',
        'Sending and receiving',
        'What each call returns when the other side is slow, closed or gone',
        [
          [313, '1.3.3 socket数据发送接收的影响', ''],
          [325, '表格 3 TCP连接过程中的错误信号', 'tcp-errors'],
          [339, '表格 4 UDP连接过程中的错误处理', 'udp-errors'],
        ],
      ),
      page('tcp-ip/connections', '1.3.4', 'Connections', 'Keepalive, timeouts, the accept queue, ephemeral ports', [
        [351, '1.3.4 socket连接管理', ''],
      ]),
      page(
        'tcp-ip/kernel',
        '1.3.5',
        'Inside the kernel',
        'The kernel’s own state numbers and structs, read from the running one',
        [
          [361, '1.3.5 内核中socket实现', ''],
          [363, 'listing: kernel enums and struct socket', 'enums-and-structs'],
        ],
      ),
    ],
  },
  {
    title: '2 Servers and clients',
    pages: [
      page('servers/io-models', '2.1', 'I/O models', 'Five ways to wait for a byte, each a program', [
        [442, '2 网络编程实例 (C)', ''],
        [444, '2.1 网络IO策略', ''],
        [456, 'table: blocking and non-blocking, synchronous and asynchronous', 'the-five-models'],
        [475, '情形1：同步阻塞IO', 'blocking'],
        [479, '情形2：同步非阻塞', 'non-blocking'],
        [483, 'listing: read loop', 'non-blocking'],
        [487, '情形3：异步阻塞', 'multiplexing'],
        [495, '情形4：异步非阻塞', 'asynchronous'],
      ]),
      page('servers/iterative', '2.2', 'The iterative server', 'The smallest server that works: one client at a time', [
        [501, '2.2 单进程循环', ''],
        [503, 'listing: the iterative server', 'the-program'],
      ]),
      page('servers/multiplexing', '2.3', 'Multiplexing', 'select, poll and epoll: one thread, thousands of clients', [
        [612, '2.3 单进程并发(IO多路复用)', ''],
        [614, '2.3.1 select', 'select'],
        [618, 'listing: man select', 'select'],
        [647, 'listing: the select server', 'the-select-server'],
        [755, '2.3.2 epoll', 'epoll'],
        [757, 'listing: man epoll', 'epoll'],
        [771, 'listing: the epoll server', 'the-epoll-server'],
        [907, '2.3.3 epoll与select的比较', 'epoll-and-select-compared'],
        [911, '表格 5 epoll与select的比较列表', 'epoll-and-select-compared'],
      ]),
      page('servers/processes', '2.4', 'Processes', 'A process for each connection, and a pool of them', [
        [940, '2.4 多进程并发', ''],
        [942, 'listing: man fork', 'what-a-child-inherits'],
        [961, 'RETURN VALUE', 'what-a-child-inherits'],
        [965, 'listing: the fork server', 'the-program'],
      ]),
      page('servers/threads', '2.5', 'Threads', 'A thread for each connection, and a pool of them', [
        [1084, '2.5 多线程并发', ''],
        [1090, 'listing: man pthread_create', 'handing-over-the-descriptor'],
        [1100, 'listing: the thread server', 'the-program'],
      ]),
      page(
        'servers/processes-and-threads',
        '2.6',
        'Processes and threads',
        'Both at once: every core, and many connections on each',
        [[1237, '2.6 多进程多线程并发', '']],
      ),
      page('servers/udp', '2.7', 'UDP', 'Datagrams: lost, cut short, broadcast', [[1241, '2.7 UDP通讯编程', '']]),
      page('servers/clients', '2.8', 'The client', 'Resolve, connect, give up in time, try the next address', [
        [1245, '2.8 客户端编程', ''],
        [1247, 'listing: the client', 'the-program'],
      ]),
      page('servers/framing', '', 'Framing', 'One write is not one read: how to find the end of a message', []),
      page('servers/compared', '', 'The models compared', 'Every server under the same load, beside C and Python', []),
    ],
  },
  {
    title: '3 Coroutines',
    pages: [
      page(
        'coroutines/scheduler',
        '3.1',
        'A scheduler of generators',
        'Many clients in code that reads as if there were one',
        [
          [1330, '3 网络编程实例 (Python)', ''],
          [1332, '3.1 IO多路复用', ''],
          [1342, 'listing: the coroutine echo server', 'the-program'],
        ],
      ),
      page(
        'coroutines/async-await',
        '',
        'async and await',
        'The same server on promises: what the language took over',
        [],
      ),
    ],
  },
  {
    title: 'At the back',
    pages: [
      page('references', '', 'References', 'Standards, manuals and books, and what each is good for', [
        [436, '1.4 本章参考', 'tcp-ip'],
        [1312, '2.9 本章参考', 'servers'],
        [1534, '本章参考', 'coroutines'],
        [1540, '参考文献', 'source-references'],
      ]),
      page('errata', '', 'Errata', 'Every correction of the source, each with the program that proves it', []),
    ],
  },
]

/** Every page of the chapters, in reading order. The front page is not among them. */
export const pages: Page[] = chapters.flatMap((chapter) => chapter.pages)

/** Every cover of the source with the page it went to, in the source's order. */
export const covers: (Cover & { page: Page })[] = [frontPage, ...pages]
  .flatMap((to) => to.covers.map((cover) => ({ ...cover, page: to })))
  .sort((a, b) => a.line - b.line)

const docs = resolve(import.meta.dirname, '../docs')

/** The page's Markdown file. */
export function fileOf(to: Page): string {
  return resolve(docs, `${to.slug}.md`)
}

/** Whether the page is written. */
export function isWritten(to: Page): boolean {
  return existsSync(fileOf(to))
}

/** The page's address inside the site, as links in Markdown and in the sidebar have it. */
export function linkOf(to: Page): string {
  return to.slug === 'index' ? '/' : `/${to.slug}`
}

/** Name of the page's archive under /archives/. */
export function archiveOf(to: Page): string {
  return `${to.slug.replaceAll('/', '-')}.zip`
}
