// Each rule goes red where the book is wrong, and says where and what to do. The book here has one page, one program and one
// erratum; each test changes one thing in it.

import { describe, expect, test } from 'vitest'
import { type Files, type PlannedPage, readBook } from './book.ts'
import { type Rule, rules } from './rules.ts'

const PAGE = 'docs/servers/echo.md'
const ZH = 'docs/zh/servers/echo.md'
const PROGRAM = 'snippets/servers/echo/echo.ts'
const SCENARIOS = 'test/servers/echo.scenarios.ts'
const TEST = 'test/servers/echo.test.ts'

const plan: PlannedPage[] = [
  {
    slug: 'servers/echo',
    title: '2.7 Echo',
    covers: [
      { line: 10, heading: '2.7 UDP', at: '' },
      { line: 12, heading: 'table 4', at: 'the-program' },
    ],
  },
  { slug: 'errata', title: 'Errata', covers: [] },
]

const page = (words: string): string => `---
title: Echo
description: The smallest server
---

# 2.7 ${words}

<!--@include: @/../.vitepress/parts/run.md-->

## ${words} {#the-program}

See [${words}](#the-program), [the errata](/errata#servers) and <a href="/errata.html">again</a>, and ![a picture](/a.svg).

::: code-group
<<< @/../snippets/servers/echo/echo.ts [echo.ts]
:::

<<< @/../snippets/servers/echo/echo.ts#serve

\`\`\`sh
node echo.ts 5000
\`\`\`

<<< @/../snippets/servers/echo/hello.out{transcript}

| call | means |
| --- | --- |
| recv | receive |

<<< @/../snippets/servers/echo/sizes.json
`

const good: Files = new Map([
  [PAGE, page('Echo')],
  [ZH, page('回声')],
  ['.vitepress/parts/run.md', 'Get [the archive](/archives/%archive%.zip).\n'],
  ['docs/public/a.svg', ''],
  [
    'docs/errata.md',
    `---
title: Errata
description: What was wrong
---

# Errata

## Servers {#servers}

### Line 3: an echo is no reply

It is. Proof: [\`echo.ts\`](/servers/echo#the-program).
`,
  ],
  [PROGRAM, `// An echo.\n\n// #region serve\nconsole.log('hello')\n// #endregion serve\n`],
  ['snippets/servers/echo/hello.out', '$ node echo.ts\nhello\n'],
  ['snippets/servers/echo/sizes.json', '[]\n'],
  [
    SCENARIOS,
    `export const scenarios: Scenarios = {\n  async hello(stage) {\n    await stage.run('program', 'echo.ts')\n  },\n}\n`,
  ],
  [
    TEST,
    `recordings('servers/echo', scenarios)\ntest('sizes', () => expect(measure()).toMatchFileSnapshot('sizes.json'))\n`,
  ],
])

type Edit = (files: Map<string, string>) => void

/** Replaces a text of a file that has to be in it. */
const change =
  (file: string, from: string, to: string): Edit =>
  (files) => {
    const text = files.get(file) ?? ''
    if (!text.includes(from)) throw new Error(`${file} has no "${from}"`)
    files.set(file, text.replace(from, to))
  }
const append =
  (file: string, text: string): Edit =>
  (files) =>
    void files.set(file, `${files.get(file)!}\n${text}`)
const write =
  (file: string, text: string): Edit =>
  (files) =>
    void files.set(file, text)
const remove =
  (file: string): Edit =>
  (files) =>
    void files.delete(file)

function problems({ check }: Rule, ...edits: Edit[]): string[] {
  const files = new Map(good)
  for (const edit of edits) edit(files)
  return check(readBook(files, plan)).map(({ at, message }) => `${at}: ${message}`)
}

test.each(Object.values(rules).map((rule) => [rule.name, rule] as const))('in order: %s', (_name, rule) => {
  expect(problems(rule)).toEqual([])
})

/** What is done to the book, and the problem that the rule finds. */
const red: [keyof typeof rules, [what: string, problem: RegExp, ...edits: Edit[]][]][] = [
  [
    'typed',
    [
      [
        'TypeScript is typed into a page',
        /^docs\/servers\/echo\.md:32: ts is typed into the page: put it into a file in snippets\/servers\/echo\//,
        append(PAGE, '```ts\nconst one = 1\n```\n'),
      ],
      ['JavaScript in a list', /: js is typed/, append(PAGE, '- so:\n\n  ```js {1}\n  f()\n  ```\n')],
      ['a transcript is typed', /: transcript is typed/, append(PAGE, '```transcript\nserver │ hello\n```\n')],
      ['code without a language', /:32: code without a language/, append(PAGE, '```\nconst one = 1\n```\n')],
      ['indented code', /:32: code without a language/, append(PAGE, '    const one = 1\n')],
      ['TypeScript as text', /: TypeScript under the name of text/, append(PAGE, '```text\nawait main()\n```\n')],
      [
        'TypeScript from elsewhere',
        /: test\/servers\/echo\.test\.ts is outside of snippets\//,
        append(PAGE, '<<< @/../test/servers/echo.test.ts\n'),
      ],
      [
        'TypeScript in an included part',
        /^\.vitepress\/parts\/run\.md:3: ts is typed/,
        append('.vitepress/parts/run.md', '```ts\nf()\n```\n'),
      ],
    ],
  ],
  [
    'imports',
    [
      [
        'a misspelt file',
        /^docs\/servers\/echo\.md:15: imports snippets\/servers\/echo\/reply\.ts, which is not there/,
        change(PAGE, 'echo.ts [echo.ts]', 'reply.ts [echo.ts]'),
      ],
      [
        'a misspelt region',
        /^docs\/servers\/echo\.md:18: region "server" is not in snippets\/servers\/echo\/echo\.ts, which has serve/,
        change(PAGE, 'echo.ts#serve', 'echo.ts#server'),
      ],
      ['lines by number', /:18: marks lines .* by number/, change(PAGE, 'echo.ts#serve', 'echo.ts#serve{1,3-4}')],
      [
        'an include that is not there',
        /^docs\/servers\/echo\.md:8: includes \.vitepress\/parts\/run\.md, which is not there/,
        remove('.vitepress/parts/run.md'),
      ],
    ],
  ],
  [
    'regions',
    [
      [
        'a region that no page shows',
        /^snippets\/servers\/echo\/echo\.ts:3: no page shows region "serve": import <<< @\/\.\.\/snippets\/servers\/echo\/echo\.ts#serve on docs\/servers\/echo\.md/,
        change(PAGE, 'echo.ts#serve', 'echo.ts'),
        change(ZH, 'echo.ts#serve', 'echo.ts'),
      ],
      [
        'a region defined twice',
        /echo\.ts:7: region "serve" is already at snippets\/servers\/echo\/echo\.ts:3/,
        append(PROGRAM, '// #region serve\n// #endregion serve\n'),
      ],
      [
        'a region that is not closed',
        /echo\.ts:3: region "serve" is not closed/,
        change(PROGRAM, '// #endregion serve\n', ''),
      ],
      [
        'a region closed under another name',
        /echo\.ts:5: `#endregion server` closes nothing: write the name of the region that is open \(serve\)/,
        change(PROGRAM, '#endregion serve', '#endregion server'),
      ],
      [
        'regions that overlap',
        /echo\.ts:7: region "b" is still open where "a" ends/,
        append(PROGRAM, '// #region b\n// #endregion a\n// #endregion b\n'),
        change(PROGRAM, '// An echo.', '// #region a'),
      ],
      ['a region without a name', /echo\.ts:7: a region without a name/, append(PROGRAM, '// region\n')],
    ],
  ],
  [
    'shown',
    [
      [
        'a program without a page',
        /^snippets\/servers\/udp\/lost\.ts: there is no docs\/servers\/udp\.md/,
        write('snippets/servers/udp/lost.ts', ''),
      ],
      [
        'a program that its page does not show',
        /^snippets\/servers\/echo\/more\.ts: docs\/servers\/echo\.md does not show it whole: add `<<< @\/\.\.\/snippets\/servers\/echo\/more\.ts \[more\.ts\]`/,
        write('snippets/servers/echo/more.ts', ''),
      ],
      [
        'a program outside of a code group',
        /echo\.ts: .* does not show it whole/,
        change(PAGE, '::: code-group', '::: info'),
      ],
      [
        'another name on the tab',
        /^docs\/servers\/echo\.md:15: the tab of snippets\/servers\/echo\/echo\.ts is "server": write \[echo\.ts\]/,
        change(PAGE, '[echo.ts]', '[server]'),
      ],
      [
        'a file of posix/ that no page shows',
        /^snippets\/posix\/calls\.ts: the page that shows posix\/ does not show it whole: .*\[posix\/calls\.ts\]/,
        write('snippets/posix/calls.ts', ''),
      ],
    ],
  ],
  [
    'run',
    [
      [
        'a program that no test starts',
        /^snippets\/servers\/echo\/echo\.ts: no test starts it/,
        change(SCENARIOS, "'echo.ts'", "'other.ts' /* 'echo.ts' */"),
      ],
      ['a page without a test', /^snippets\/servers\/echo\/: there is no test\/servers\/echo\.test\.ts/, remove(TEST)],
      [
        'scenarios without a page',
        /^test\/servers\/udp\.scenarios\.ts: there is no docs\/servers\/udp\.md/,
        write('test/servers/udp.scenarios.ts', 'export const scenarios = {}\n'),
      ],
      [
        'a program beside one that nobody runs',
        /worker\.ts: no test starts it/,
        write('snippets/servers/echo/worker.ts', ''),
        write('snippets/servers/echo/unused.ts', "new Worker('./worker.ts')"),
      ],
    ],
  ],
  [
    'recorded',
    [
      [
        'an output that no scenario writes',
        /^snippets\/servers\/echo\/old\.out: no test writes it: write the scenario 'old'/,
        write('snippets/servers/echo/old.out', ''),
      ],
      [
        'an output that no page shows',
        /^snippets\/servers\/echo\/hello\.out: no page shows it: import `<<< @\/\.\.\/snippets\/servers\/echo\/hello\.out\{transcript\}`/,
        change(PAGE, '<<< @/../snippets/servers/echo/hello.out{transcript}', ''),
        change(ZH, '<<< @/../snippets/servers/echo/hello.out{transcript}', ''),
      ],
      [
        'a scenario without its output',
        /^test\/servers\/echo\.scenarios\.ts:2: snippets\/servers\/echo\/hello\.out is not there: record it with npm test -- servers\/echo -u/,
        remove('snippets/servers/echo/hello.out'),
      ],
      [
        'a table that no test writes',
        /^snippets\/servers\/echo\/sizes\.json: no test writes it/,
        change(TEST, 'sizes.json', 'other.json'),
      ],
      [
        'scenarios that no test records',
        /^test\/servers\/echo\.scenarios\.ts: nothing compares the outputs: call recordings\('servers\/echo', scenarios\)/,
        change(TEST, 'recordings(', 'other('),
      ],
      [
        'a part of the scenarios that is not one of them',
        /^test\/servers\/echo\/more\.ts:1: these scenarios are not the page's: write `\.\.\.more`/,
        write('test/servers/echo/more.ts', 'export const more: Scenarios = { async hello() {} }\n'),
      ],
      [
        'a scenario of a part without its output',
        /^test\/servers\/echo\/more\.ts:1: snippets\/servers\/echo\/again\.out is not there/,
        write('test/servers/echo/more.ts', 'export const more: Scenarios = { async again() {} }\n'),
        change(SCENARIOS, '  async hello(', '  ...more,\n  async hello('),
      ],
      [
        'a scenario under a computed name',
        /^test\/servers\/echo\.scenarios\.ts:2: a scenario without a plain name/,
        change(SCENARIOS, 'hello(', '[name]('),
      ],
    ],
  ],
  [
    'covered',
    [
      [
        'a heading that the plan needs is gone',
        /^docs\/servers\/echo\.md: line 12 of the source, "table 4", should be at #the-program/,
        change(PAGE, '## Echo {#the-program}', '## Echo'),
      ],
      [
        'a page beside the plan',
        /^docs\/servers\/more\.md: "servers\/more" is not in the plan/,
        write('docs/servers/more.md', '# More\n'),
      ],
    ],
  ],
  [
    'links',
    [
      [
        'a page that is not there',
        /^docs\/servers\/echo\.md:12: \/wrong#servers leads to docs\/wrong\.md, which is not there/,
        change(PAGE, '/errata#servers', '/wrong#servers'),
      ],
      [
        'an anchor of another page',
        /^docs\/servers\/echo\.md:12: \/errata#server: docs\/errata\.md has no heading #server, only .*servers/,
        change(PAGE, '/errata#servers', '/errata#server'),
      ],
      [
        'an anchor of the same page',
        /: #program: docs\/servers\/echo\.md has no heading/,
        change(PAGE, '(#the-program)', '(#program)'),
      ],
      [
        'a link in HTML',
        /: \.\/errata\.html leads to docs\/servers\/errata\.md/,
        change(PAGE, '/errata.html', './errata.html'),
      ],
      ['a picture', /: \/b\.svg leads to docs\/public\/b\.svg/, change(PAGE, '/a.svg', '/b.svg')],
      [
        'an archive of no page',
        /^\.vitepress\/parts\/run\.md:1: \/archives\/.*zip is the archive of no page with programs/,
        change('.vitepress/parts/run.md', '%archive%.zip', 'echo.zip'),
      ],
      [
        'a part that is broken on the pages that include it',
        /^\.vitepress\/parts\/run\.md:3: #gone: docs\/servers\/echo\.md has no heading/,
        append('.vitepress/parts/run.md', '[gone](#gone)\n'),
      ],
    ],
  ],
  [
    'anchors',
    [
      [
        'two headings with one id',
        /^docs\/servers\/echo\.md:32: "More" would be at #the-program/,
        append(PAGE, '## More {#the-program}\n'),
      ],
      ['two headings with the same words', /:34: "More" would be at #more-1/, append(PAGE, '## More\n\n## More\n')],
    ],
  ],
  [
    'translations',
    [
      [
        'a heading is missing',
        /^docs\/zh\/servers\/echo\.md: heading 3 is nothing more, where docs\/servers\/echo\.md:32 has ## \{#more\}/,
        append(PAGE, '## More {#more}\n'),
      ],
      [
        'a heading of another level',
        /zh\/servers\/echo\.md:10: heading 2 is ### \{#the-program\}, where/,
        change(ZH, '## 回声', '### 回声'),
      ],
      [
        'an import too many',
        /zh\/servers\/echo\.md:32: import 5 is .*hello\.out, where docs\/servers\/echo\.md has nothing more/,
        append(ZH, '<<< @/../snippets/servers/echo/hello.out\n'),
      ],
      [
        'an import of another region',
        /zh\/servers\/echo\.md:18: import 2 is .*#other, where .*#serve/,
        change(ZH, 'echo.ts#serve', 'echo.ts#other'),
      ],
      [
        'a row of a table',
        /zh\/servers\/echo\.md:26: table 1 is 1 rows of 2, where .* has 2 rows of 2/,
        change(ZH, '| recv | receive |\n', ''),
      ],
      [
        'a page that translates none',
        /zh\/about\.md: there is no docs\/about\.md that it translates/,
        write('docs/zh/about.md', '# x\n'),
      ],
    ],
  ],
  [
    'errata',
    [
      [
        'no program',
        /^docs\/errata\.md:10: "Line 3: an echo is no reply" names no program/,
        change('docs/errata.md', '[`echo.ts`]', '[echo]'),
      ],
      [
        'a program that is not there',
        /^docs\/errata\.md:12: there is no snippets\/servers\/echo\/reply\.ts/,
        change('docs/errata.md', '`echo.ts`', '`reply.ts`'),
      ],
      [
        'a program of another page',
        /: there is no snippets\/errata\/echo\.ts/,
        change('docs/errata.md', '/servers/echo#the-program', '#servers'),
      ],
    ],
  ],
  [
    'containers',
    [
      [
        'a container in another with as many colons',
        /^docs\/servers\/echo\.md:34: the end of this ::: would end the ::: around it as well/,
        append(PAGE, '::: details More\n\n::: info\nhello\n:::\n\n:::\n'),
      ],
      ['a mark that closes nothing', /:32: ::: closes nothing/, append(PAGE, ':::\n')],
    ],
  ],
  [
    'frontMatter',
    [
      ['no title', /^docs\/servers\/echo\.md:1: front matter without title/, change(PAGE, 'title: Echo\n', '')],
      ['an empty description', /:1: front matter without description/, change(PAGE, 'The smallest server', '')],
      [
        'another number than the plan’s',
        /:6: the heading is "2\.8 Echo", the plan says "2\.7 Echo"/,
        change(PAGE, '# 2.7', '# 2.8'),
      ],
      [
        'a translation with another number',
        /zh\/servers\/echo\.md:6: the heading is "2\.8 回声"/,
        change(ZH, '# 2.7', '# 2.8'),
      ],
      ['no heading', /:1: no first heading: write # 2\.7 Echo/, change(PAGE, '# 2.7 Echo\n', '')],
      ['two first headings', /:32: "More" is a second heading of level 1/, append(PAGE, '# More\n')],
    ],
  ],
  [
    'numbers',
    [
      [
        'a number that nothing prints',
        /^docs\/servers\/echo\.md:32: "40 ms" is in no program or output of the page/,
        append(PAGE, 'The answer takes 40 ms.\n'),
      ],
      ['a number in a table', /:34: "1,500 bytes" is in no/, append(PAGE, '| MTU |\n| --- |\n| 1,500 bytes |\n')],
    ],
  ],
]

describe.each(red)('red: %s', (name, cases) => {
  test.each(cases)('%s', (_what, problem, ...edits) => {
    const found = problems(rules[name], ...edits)
    expect(found.find((one) => problem.test(one)) ?? found.join('\n')).toMatch(problem)
  })
})

test('every rule is seen going red', () => {
  expect(red.map(([name]) => name)).toEqual(Object.keys(rules))
})

test('a program that another one starts needs no test of its own', () => {
  const worker = write('snippets/servers/echo/worker.ts', '')
  expect(problems(rules.run, worker, append(PROGRAM, "new Worker(new URL('./worker.ts', import.meta.url))\n"))).toEqual(
    [],
  )
})

test('a table may be read by the script of a page', () => {
  const line = '<<< @/../snippets/servers/echo/sizes.json'
  const script = `<script setup>\nimport sizes from '../../snippets/servers/echo/sizes.json'\n</script>\n`
  expect(problems(rules.recorded, change(PAGE, line, script), change(ZH, line, ''))).toEqual([])
})

test.each([
  ['a program of the page', 'It waits for 2 s.', append(PROGRAM, 'setTimeout(stop, 2_000)\n')],
  ['an output of the page', 'It takes 65,536 bytes.', append('snippets/servers/echo/hello.out', '65536\n')],
  ['a page that is linked', 'It takes [64 KiB](/servers/echo).', append(PROGRAM, 'Buffer.alloc(65_536)\n')],
  ['an RFC', 'It takes 500 ms at most (RFC 1122).', append(PROGRAM, '')],
  ['a manual page', 'It takes 2 hours, see tcp(7).', append(PROGRAM, '')],
  ['a file of the kernel', 'It takes 60 s, see include/net/tcp.h.', append(PROGRAM, '')],
])('a number may come from %s', (_what, text, edit) => {
  expect(problems(rules.numbers, edit, append(PAGE, `${text}\n`))).toEqual([])
})
