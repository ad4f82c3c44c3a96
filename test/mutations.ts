// Breaks the book on purpose, one thing at a time, and expects its tests to notice: `npm run mutations`.
//
// Each mutation is made in a copy of the work tree. There the tests that should notice are run with the suite's own settings;
// a test that fails in them fails in `npm test`, whose whole run on an unchanged copy has to pass.
//
//   npm run mutations -- region      only the mutations whose name has the word, and no run of the whole

import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

interface Mutation {
  name: string
  /** The tests that should notice, as arguments of Vitest. */
  tests: readonly string[]
  /** What the test that fails says. */
  says: RegExp
  break(copy: Copy): void
}

/** A copy of the work tree. Each change fails if it does not find what it is to change. */
interface Copy {
  replace(file: string, from: string | RegExp, to: string): void
  write(file: string, text: string): void
  remove(file: string): void
}

const PAGE = 'docs/servers/iterative.md'
const PROGRAM = 'snippets/servers/iterative/reversing-server.ts'
const FIRST_LINE = '// An iterative server'
const RUN = ['test/servers/iterative.test.ts', '--bail', '1']
const BOOK = ['test/book/rules.test.ts']
const SITE = ['test/site/pages.test.ts', '--bail', '1']
const WIDE = '.vp-doc [class*=language-] { overflow: visible !important; width: max-content }'

const mutations: Mutation[] = [
  {
    name: 'a program prints another line',
    tests: RUN,
    says: /Snapshot .*reversing-server\.out.* mismatched/,
    break: (copy) => copy.replace(PROGRAM, 'log(`serving ${', 'log(`serving client ${'),
  },
  {
    name: 'a program answers with other bytes',
    tests: RUN,
    says: /client received hello where olleh was due/,
    break: (copy) => copy.replace(PROGRAM, 'bytes.subarray(start, end).reverse()', 'bytes.subarray(start, end)'),
  },
  {
    name: 'an output is edited by hand',
    tests: RUN,
    says: /Snapshot .*reversing-server\.out.* mismatched/,
    break: (copy) => copy.replace('snippets/servers/iterative/reversing-server.out', 'olleh', 'hello'),
  },
  {
    name: 'a server leaves a process behind',
    tests: RUN,
    says: /process \d+ is left/,
    break: (copy) =>
      copy.replace(
        PROGRAM,
        FIRST_LINE,
        `import { spawn } from 'node:child_process'\nspawn('sleep', ['600'], { stdio: 'ignore', detached: true }).unref()\n${FIRST_LINE}`,
      ),
  },
  {
    name: 'a server ignores SIGTERM',
    tests: RUN,
    says: /waited \d+ ms for \S+ to stop on SIGTERM/,
    break: (copy) => copy.replace(PROGRAM, FIRST_LINE, `process.on('SIGTERM', () => {})\n${FIRST_LINE}`),
  },
  {
    name: 'a server does not close its connections',
    tests: RUN,
    says: /the end of the stream/,
    break: (copy) => copy.replace(PROGRAM, /^ +close\(connFd\)\n/m, ''),
  },
  {
    name: 'a page misspells a region',
    tests: BOOK,
    says: /region "server" is not in snippets\/servers\/iterative\/reversing-server\.ts/,
    break: (copy) => copy.replace(PAGE, 'reversing-server.ts#serve', 'reversing-server.ts#server'),
  },
  {
    name: 'a region is shown no more',
    tests: BOOK,
    says: /no page shows region "serve"/,
    break: (copy) => copy.replace(PAGE, /^<<< .*reversing-server\.ts#serve\n/m, ''),
  },
  {
    name: 'a region is not closed',
    tests: BOOK,
    says: /region "serve" is not closed/,
    break: (copy) => copy.replace(PROGRAM, '// #endregion serve\n', ''),
  },
  {
    name: 'TypeScript is typed into a page',
    tests: BOOK,
    says: /ts is typed into the page/,
    break: (copy) => copy.replace(PAGE, /$/, '\n```ts\nconst listenFd = socket(AF_INET, SOCK_STREAM, 0)\n```\n'),
  },
  {
    name: 'a heading that the plan needs is gone',
    tests: BOOK,
    says: /should be at #the-program/,
    break: (copy) => copy.replace(PAGE, /^##+ .*\{#the-program\}\n/m, ''),
  },
  {
    name: 'a link leads to no page',
    tests: BOOK,
    says: /\/tcp-ip\/sockets#.* which is not there/,
    break: (copy) => copy.replace('docs/errata.md', '](/tcp-ip/socket-api#', '](/tcp-ip/sockets#'),
  },
  {
    name: 'a link leads to no heading',
    tests: BOOK,
    says: /docs\/tcp-ip\/socket-api\.md has no heading #nowhere/,
    break: (copy) => copy.replace(PAGE, /$/, '\nSee [the calls](/tcp-ip/socket-api#nowhere).\n'),
  },
  {
    name: 'a number is from memory',
    tests: BOOK,
    says: /"4321 ms" is in no program or output of the page/,
    break: (copy) => copy.replace(PAGE, /$/, '\nThe answer takes 4321 ms.\n'),
  },
  {
    name: 'a program has no page',
    tests: BOOK,
    says: /there is no docs\/servers\/lonely\.md/,
    break: (copy) => {
      copy.write('snippets/servers/lonely/lonely.ts', `console.log('nobody reads this')\n`)
    },
  },
  {
    name: 'a program has no test',
    tests: BOOK,
    says: /snippets\/servers\/iterative\/untested\.ts: no test starts it/,
    break: (copy) => {
      copy.write('snippets/servers/iterative/untested.ts', `console.log('nobody runs this')\n`)
      copy.replace(PAGE, /$/, '\n::: code-group\n<<< @/../snippets/servers/iterative/untested.ts [untested.ts]\n:::\n')
    },
  },
  {
    name: 'an output has no scenario',
    tests: BOOK,
    says: /no test writes it: write the scenario 'from-memory'/,
    break: (copy) => copy.write('snippets/servers/iterative/from-memory.out', 'server │ listening on 127.0.0.1:PORT\n'),
  },
  {
    name: 'an output is missing',
    tests: BOOK,
    says: /imports snippets\/servers\/iterative\/reversing-server\.out, which is not there/,
    break: (copy) => copy.remove('snippets/servers/iterative/reversing-server.out'),
  },
  {
    name: 'an erratum has no proof',
    tests: BOOK,
    says: /names no program/,
    break: (copy) => copy.replace('docs/errata.md', /^Proof: .*\n|\bProof: .*/m, ''),
  },
  {
    name: 'an erratum names a program that is not there',
    tests: BOOK,
    says: /there is no snippets\/.*\/forgotten\.ts/,
    break: (copy) => copy.replace('docs/errata.md', /\[`[\w.-]+\.ts`\](?=\(\/)/, '[`forgotten.ts`]'),
  },
  {
    name: 'a colour of code is illegible',
    tests: SITE,
    says: /is accessible and fits: 1280 pixels wide, light/,
    break: (copy) => copy.replace('.vitepress/transcript.ts', "'#57606a', '#aab2bc'", "'#c7cbd1', '#aab2bc'"),
  },
  {
    name: 'code in a sentence is illegible, in the dark alone',
    tests: SITE,
    says: /is accessible and fits: 390 pixels wide, dark/,
    break: (copy) => copy.replace('.vitepress/theme/style.css', '--vp-code-color: #e2e4e8', '--vp-code-color: #55595f'),
  },
  {
    name: 'lines of code make the page wider than a phone',
    tests: SITE,
    says: /pixels that the page is wider/,
    break: (copy) => copy.replace('.vitepress/theme/style.css', ':root {', `${WIDE}\n:root {`),
  },
]

/** What a run of tests has shown. */
interface Outcome {
  failed: { test: string; message: string }[]
  passed: number
  seconds: number
  /** Printed by a run that ended without a report. */
  trouble: string
}

const folder = mkdtempSync(join(tmpdir(), 'live-sockets-mutations-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

const word = process.argv[2] ?? ''
const chosen = mutations.filter(({ name }) => name.includes(word))
if (chosen.length === 0) throw new Error(`no mutation has "${word}" in its name`)

let unnoticed = 0
const width = Math.max(...chosen.map(({ name }) => name.length))
const row = (name: string, outcome: string, seconds: number, note: string): void =>
  console.log(`${name.padEnd(width)}  ${outcome.padEnd(5)}  ${seconds.toFixed(1).padStart(5)} s  ${note}`)

for (const { name, tests, says, break: change } of chosen) {
  const path = makeCopy()
  try {
    change(copyIn(path))
  } catch (reason) {
    unnoticed++
    row(name, 'GONE', 0, (reason as Error).message)
    continue
  }
  const { failed, seconds, trouble } = await runTests(path, tests)
  const noticed = failed.find(({ test, message }) => says.test(message) || says.test(test))
  if (noticed === undefined) unnoticed++
  if (noticed !== undefined) row(name, 'red', seconds, noticed.test)
  else if (failed.length > 0)
    row(name, 'other', seconds, `nothing says ${says}: ${failed[0]!.test}: ${firstLines(failed[0]!.message)}`)
  else row(name, 'GREEN', seconds, trouble || 'no test noticed')
  rmSync(path, { recursive: true })
}

if (word === '') {
  const path = makeCopy()
  const { failed, passed, seconds, trouble } = await runTests(path, [])
  const isGreen = failed.length === 0 && passed > 0
  if (!isGreen) unnoticed++
  row('nothing is changed', isGreen ? 'green' : 'RED', seconds, isGreen ? `${passed} passed` : trouble)
  for (const { test, message } of failed) console.log(`  ${test}: ${firstLines(message)}`)
}

console.log(unnoticed === 0 ? 'every mutation was noticed' : `${unnoticed} of these went otherwise than they should`)
process.exitCode = unnoticed === 0 ? 0 : 1

/** A message without its stack, and not without end. */
function firstLines(message: string): string {
  return message.replace(/\n +at [^]*/, '').slice(0, 500)
}

/** What git would commit if everything were added, in a folder of its own. */
function makeCopy(): string {
  const { stdout, status } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error('git ls-files has failed: the copy is made of what git knows')
  const path = mkdtempSync(join(folder, 'copy-'))
  for (const file of stdout.split('\0')) {
    if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(path, file))
  }
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
  return path
}

function copyIn(path: string): Copy {
  return {
    replace(file, from, to) {
      const text = readFileSync(join(path, file), 'utf8')
      const changed = text.replace(from, () => to)
      if (changed === text) throw new Error(`${file} does not have ${from}: this mutation needs another target`)
      writeFileSync(join(path, file), changed)
    },
    write(file, text) {
      if (existsSync(join(path, file))) throw new Error(`${file} is there already`)
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), text)
    },
    remove(file) {
      unlinkSync(join(path, file))
    },
  }
}

/** Runs tests of a copy as `npm test` does, and as CI: what is not recorded fails. */
async function runTests(path: string, args: readonly string[]): Promise<Outcome> {
  const started = performance.now()
  const report = join(path, 'report.json')
  const command = ['test', '--', ...args, '--reporter=json', `--outputFile=${report}`]
  const child = spawn('npm', command, {
    cwd: path,
    env: { ...process.env, CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk))
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const seconds = (performance.now() - started) / 1000
  if (!existsSync(report))
    return { failed: [], passed: 0, seconds, trouble: output.trim().split('\n').slice(-5).join(' ') }

  const { testResults, numPassedTests } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const failed = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter((one) => one.status === 'failed')
    // A file that does not load fails without a test.
    if (tests.length === 0 && status === 'failed') return [{ test: name.slice(path.length + 1), message }]
    return tests.map(({ fullName, failureMessages }) => ({
      test: `${name.slice(path.length + 1)}: ${fullName}`,
      message: failureMessages.join('\n'),
    }))
  })
  if (status !== 0 && failed.length === 0) failed.push({ test: 'the run itself', message: output })
  return { failed, passed: numPassedTests, seconds, trouble: '' }
}

/** What is used here of Vitest's JSON report. */
interface Report {
  numPassedTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}
