// The states of a TCP connection and what leads from one to the next: RFC 9293, figure 5, and what it leaves out.
// test/site/state-machine.test.ts holds it to what snippets/tcp-ip/protocol/states.ts printed. The names are those of the page:
// Linux says SYN_RECV where the RFC has SYN-RECEIVED.

/** Where each state is drawn. CLOSED is drawn twice, so that no line has to lead back to the top. */
export const states = [
  ['CLOSED', 156, 15],
  ['LISTEN', 156, 91],
  ['SYN_RECV', 47, 167],
  ['SYN_SENT', 265, 167],
  ['ESTABLISHED', 156, 243],
  ['FIN_WAIT_1', 47, 319],
  ['CLOSE_WAIT', 265, 319],
  ['FIN_WAIT_2', 47, 395],
  ['CLOSING', 156, 395],
  ['LAST_ACK', 265, 395],
  ['TIME_WAIT', 47, 471],
  ['CLOSED', 156, 531],
] as const

/** What most connections go through, and how the drawing tells it. */
export const paths = {
  client: 'the usual client',
  server: 'the usual server',
  rare: 'rare',
  end: 'reset or timeout, to CLOSED',
} as const

export type State = (typeof states)[number][0]

export interface Edge {
  from: State
  to: State
  path: keyof typeof paths
  /** The call or the segment that brings it about, and the segment that is sent. */
  event: string
  sent: string
  /** What the calls of a program have to do with it. */
  calls: string
  /** Why states.ts does not show it. */
  unseen: string
  /** Its line in the drawing, and where its label starts. */
  line: string
  x: number
  y: number
}

function edge(
  way: `${State} ${State}`,
  path: Edge['path'],
  event: string,
  sent: string,
  line: string,
  x: number,
  y: number,
  calls: string,
  unseen = '',
): Edge {
  const [from, to] = way.split(' ') as [State, State]
  return { from, to, path, event, sent, calls, unseen, line, x, y }
}

/** CLOSED is too far away to draw the whole line, and there is no room for a label. */
function stub(from: State, line: string, calls: string, unseen = ''): Edge {
  return edge(`${from} CLOSED`, 'end', 'RST, timeout', '', line, 0, 0, calls, unseen)
}

const reset = 'A reset ends this state as it ends ESTABLISHED.'

export const edges: Edge[] = [
  edge(
    'CLOSED SYN_SENT',
    'client',
    'connect()',
    'SYN',
    'M203 22H256V153',
    186,
    38,
    'connect() waits in SYN_SENT. On a non-blocking socket it fails with EINPROGRESS.',
  ),
  edge(
    'SYN_SENT ESTABLISHED',
    'client',
    'SYN+ACK',
    'ACK',
    'M252 181V237H203',
    184,
    205,
    'connect() returns. A non-blocking socket becomes writable.',
  ),
  edge(
    'ESTABLISHED FIN_WAIT_1',
    'client',
    'close()',
    'FIN',
    'M109 250H76V305',
    82,
    272,
    'close() or shutdown(). After shutdown() the program can still receive.',
  ),
  edge('FIN_WAIT_1 FIN_WAIT_2', 'client', 'ACK', '', 'M34 333V381', 39, 362, 'No call tells it.'),
  edge(
    'FIN_WAIT_2 TIME_WAIT',
    'client',
    'FIN',
    'ACK',
    'M34 409V457',
    39,
    430,
    'recv() returns 0, where the program has called shutdown() and not close().',
  ),
  edge(
    'TIME_WAIT CLOSED',
    'client',
    '60 s',
    '',
    'M47 485V531H109',
    52,
    512,
    'RFC 9293 waits two segment lifetimes; Linux waits 60 s, as time-wait.ts measures; in states.ts a reset ends it. Meanwhile bind() to the port fails without SO_REUSEADDR.',
  ),
  edge('CLOSED LISTEN', 'server', 'listen()', '', 'M142 29V77', 94, 58, 'bind() alone leaves a socket in CLOSED.'),
  edge(
    'LISTEN SYN_RECV',
    'server',
    'SYN',
    'SYN+ACK',
    'M109 84H24V153',
    28,
    104,
    'No call: the kernel answers. The listening socket stays in LISTEN; the new connection is in SYN_RECV.',
  ),
  edge('SYN_RECV ESTABLISHED', 'server', 'ACK', '', 'M60 181V237H109', 66, 212, 'accept() returns the connection.'),
  edge(
    'ESTABLISHED CLOSE_WAIT',
    'server',
    'FIN',
    'ACK',
    'M203 250H252V305',
    258,
    272,
    'recv() returns 0 once everything before it has been read.',
  ),
  edge(
    'CLOSE_WAIT LAST_ACK',
    'server',
    'close()',
    'FIN',
    'M250 333V381',
    255,
    352,
    'close() or shutdown(). A program that forgets it keeps the connection in CLOSE_WAIT.',
  ),
  edge(
    'LAST_ACK CLOSED',
    'server',
    'ACK',
    '',
    'M265 409V531H203',
    270,
    470,
    'No call tells it. A reset ends it as well.',
  ),
  edge(
    'SYN_SENT SYN_RECV',
    'rare',
    'SYN',
    'SYN+ACK',
    'M218 167H94',
    130,
    147,
    'Simultaneous open: both sides call connect(), each from the port that the other one calls.',
  ),
  edge(
    'FIN_WAIT_1 CLOSING',
    'rare',
    'FIN',
    'ACK',
    'M94 312H176V381',
    181,
    346,
    'Simultaneous close: the peer sent its FIN before it had ours.',
  ),
  edge('CLOSING TIME_WAIT', 'rare', 'ACK', '', 'M156 409V471H94', 128, 440, 'No call tells it.'),
  edge(
    'FIN_WAIT_1 TIME_WAIT',
    'rare',
    'FIN+ACK',
    'ACK',
    'M94 326H101V438H80V457',
    106,
    346,
    'The segment with the peer’s FIN acknowledges ours. Left out of the RFC’s figure; its note 2 has it.',
  ),
  edge(
    'SYN_RECV FIN_WAIT_1',
    'rare',
    'close()',
    'FIN',
    'M20 181V305',
    25,
    262,
    'After a simultaneous open. accept() returns a connection in SYN_RECV only with TCP Fast Open, RFC 7413.',
  ),
  edge(
    'SYN_RECV LISTEN',
    'rare',
    'RST',
    '',
    'M88 153V100H109',
    93,
    126,
    'No call: accept() does not hear of it.',
    'On Linux the listening socket has been in LISTEN all the time, and the new connection becomes CLOSED.',
  ),
  edge(
    'LISTEN SYN_SENT',
    'rare',
    'send()',
    'SYN',
    'M203 91H228V153',
    181,
    122,
    'In RFC 9293, but not reachable through the sockets API.',
    'On a listening socket send() fails with EPIPE, and connect() with EISCONN.',
  ),
  edge(
    'LISTEN CLOSED',
    'rare',
    'close()',
    '',
    'M170 77V29',
    175,
    70,
    'The connections that wait for accept() are reset.',
  ),
  edge(
    'SYN_SENT CLOSED',
    'rare',
    'RST',
    '',
    'M294 153V9H203',
    263,
    92,
    'connect() fails with ECONNREFUSED; with ETIMEDOUT if nothing answers. close() gives up at once.',
  ),
  edge(
    'SYN_RECV CLOSED',
    'rare',
    'RST, timeout',
    '',
    'M8 153V15H109',
    13,
    32,
    'After listen() no call tells it. After a simultaneous open connect() fails.',
  ),
  stub(
    'ESTABLISHED',
    'M156 257V274',
    'recv() fails with ECONNRESET, or with ETIMEDOUT. close() sends the reset if SO_LINGER is 0, or data is unread.',
  ),
  stub('CLOSE_WAIT', 'M230 333V350', 'send() fails with EPIPE.', reset),
  stub('FIN_WAIT_1', 'M12 333V350', 'After close() no call is left to notice.', reset),
  stub(
    'FIN_WAIT_2',
    'M12 409V426',
    'After close() Linux waits for FIN no longer than tcp_fin_timeout, 60 s by default.',
    `time-wait.ts measures the timeout. ${reset}`,
  ),
  stub('CLOSING', 'M190 409V426', 'After close() no call is left to notice.', reset),
]

/** What states.ts printed: the ways from state to state, each with its cause. After them stands what the kernel said. */
export function transitions(printed: string): { from: string; to: string; cause: string }[] {
  return [...printed.matchAll(/^([A-Z_12]+) +→ ([A-Z_12]+) +(.*?)(?: +\S+){2}$/gm)].map(([, from, to, cause]) => ({
    from: from!,
    to: to!,
    cause: cause!,
  }))
}

/** The causes of one transition, each once. */
export function causes(printed: string, from: State, to: State): string[] {
  const rows = transitions(printed).filter((row) => row.from === from && row.to === to)
  return [...new Set(rows.map(({ cause }) => cause))]
}
