// The rules of the book. Each takes the book and returns what is wrong with it, where, and what to do about it.

import type { Book, Page, Snippet, Tests } from './book.ts'

export interface Problem {
  /** Where: `docs/servers/iterative.md:12`. */
  at: string
  message: string
}

export interface Rule {
  /** What holds for the book where the rule finds nothing. */
  name: string
  check(book: Book): Problem[]
}

/** Languages of code that may be typed into a page. What a program prints is imported, and so is TypeScript. */
const TYPED = ['sh', 'json', 'text', 'c', 'ini']
const LOOKS_LIKE_TYPESCRIPT =
  /^\s*(?:import\b.*\bfrom ['"]|export (?:const|function|async|interface|type)\b|(?:const|let) .*=[^=]|(?:async )?function\b.*\{|await \w)/m

const typed: Rule = {
  name: 'code on a page is imported from snippets/, where it is run',
  check: ({ pages }) =>
    pages.flatMap((page) => [
      ...page.fences.flatMap(({ at, language, text }) => {
        if (language === '')
          return [
            { at, message: `code without a language: import it from snippets/, or name one of ${TYPED.join(', ')}` },
          ]
        if (!TYPED.includes(language))
          return [
            {
              at,
              message: `${language} is typed into the page: put it into a file in snippets/${page.slug}/ and import it with <<< (only ${TYPED.join(', ')} are typed)`,
            },
          ]
        if (language !== 'c' && LOOKS_LIKE_TYPESCRIPT.test(text))
          return [
            { at, message: `TypeScript under the name of ${language}: import it from snippets/${page.slug}/ with <<<` },
          ]
        return []
      }),
      ...page.imports
        .filter(({ path }) => /\.[cm]?[jt]sx?$/.test(path) && !path.startsWith('snippets/'))
        .map(({ at, path }) => ({
          at,
          message: `${path} is outside of snippets/, where nothing runs it: import from snippets/`,
        })),
    ]),
}

const imports: Rule = {
  name: 'imported files and regions are there, once',
  check: ({ pages, files, snippets }) => {
    const byFile = new Map(snippets.map((snippet) => [snippet.file, snippet]))
    return pages.flatMap((page) => [
      ...page.missing.map(({ at, path }) => ({ at, message: `includes ${path}, which is not there: mend the path` })),
      ...page.imports.flatMap(({ at, path, region, byNumber }) => {
        if (!files.has(path))
          return [{ at, message: `imports ${path}, which is not there: mend the path, or write the file` }]
        if (byNumber)
          return [
            {
              at,
              message: `marks lines of ${path} by number, which go wrong with the next edit: make a region of them`,
            },
          ]
        if (region === '') return []
        const names = byFile.get(path)?.regions.map(({ name }) => name) ?? []
        const count = names.filter((name) => name === region).length
        if (count === 0)
          return [
            {
              at,
              message: `region "${region}" is not in ${path}, which has ${names.join(', ') || 'none'}: mend the name`,
            },
          ]
        return []
      }),
    ])
  },
}

const regions: Rule = {
  name: 'every region has a name of its own, is closed, and is shown by a page',
  check: ({ pages, snippets }) => {
    const shown = new Set(pages.flatMap((page) => page.imports.map(({ path, region }) => `${path}#${region}`)))
    return snippets.flatMap((snippet) => [
      ...snippet.faults,
      ...snippet.regions.flatMap(({ name, at }, i) => {
        const first = snippet.regions.findIndex((other) => other.name === name)
        if (first !== i)
          return [
            {
              at,
              message: `region "${name}" is already at ${snippet.regions[first]!.at}, and a page would show both as one: rename it`,
            },
          ]
        if (shown.has(`${snippet.file}#${name}`)) return []
        return [
          {
            at,
            message: `no page shows region "${name}": import ${fromPage(snippet)}#${name} on ${snippet.kind === 'posix' ? 'a page' : `docs/${snippet.slug}.md`}, or take the marks away`,
          },
        ]
      }),
    ])
  },
}

const shown: Rule = {
  name: 'every program is shown whole on its page, under its name in a reader’s folder',
  check: ({ pages, snippets }) =>
    snippets
      .filter(({ kind }) => kind === 'program' || kind === 'posix')
      .flatMap((snippet) => {
        const { file, slug, name, kind } = snippet
        const page = pages.find((one) => one.slug === slug && one.language === '')
        if (kind === 'program' && page === undefined)
          return [
            {
              at: file,
              message: `there is no docs/${slug}.md: a program stands in the folder of the page that shows it`,
            },
          ]
        const whole = (page === undefined ? pages : [page])
          .flatMap((one) => one.imports)
          .filter(({ path, region, inGroup }) => path === file && region === '' && inGroup)
        if (whole.some(({ label }) => label === name)) return []
        const where = page?.file ?? 'the page that shows posix/'
        if (whole.length > 0)
          return [
            {
              at: whole[0]!.at,
              message: `the tab of ${file} is "${whole[0]!.label}": write [${name}], as the reader saves it`,
            },
          ]
        return [
          {
            at: file,
            message: `${where} does not show it whole: add \`${fromPage(snippet)} [${name}]\` in a ::: code-group, or remove the file`,
          },
        ]
      }),
}

const run: Rule = {
  name: 'every program is run by the tests of its page',
  check: ({ snippets, tests, pages }) => {
    const programs = snippets.filter(({ kind }) => kind === 'program')
    const slugs = [...new Set(programs.map(({ slug }) => slug))]
    return [
      ...slugs
        .filter((slug) => tests.get(slug)?.testFile === undefined)
        .map((slug) => ({
          at: `snippets/${slug}/`,
          message: `there is no test/${slug}.test.ts: write it, it runs these programs`,
        })),
      ...programs
        .filter((program) => !isRun(program, programs, tests.get(program.slug)))
        .map(({ file, slug, name }) => ({
          at: file,
          message: `no test starts it: start '${name}' in a scenario of test/${slug}.scenarios.ts, or in test/${slug}.test.ts`,
        })),
      ...[...tests.values()]
        .filter(({ slug, scenariosFile }) => scenariosFile !== undefined && !pages.some((page) => page.slug === slug))
        .map(({ slug, scenariosFile }) => ({
          at: scenariosFile!,
          message: `there is no docs/${slug}.md: scenarios belong to a page`,
        })),
    ]
  },
}

/** Whether a test names the program, or a program that is run does, as the one beside it that it starts. */
function isRun(
  program: Snippet,
  programs: readonly Snippet[],
  tests: Tests | undefined,
  seen = new Set<Snippet>(),
): boolean {
  if (tests?.strings.has(program.name)) return true
  seen.add(program)
  return programs.some(
    (other) =>
      other.slug === program.slug &&
      !seen.has(other) &&
      (other.strings.has(`./${program.name}`) || other.strings.has(program.name)) &&
      isRun(other, programs, tests, seen),
  )
}

const recorded: Rule = {
  name: 'every output and every table was written by a test, and is shown',
  check: ({ pages, snippets, tests, files }) => {
    const imported = new Set(pages.flatMap((page) => page.imports.map(({ path }) => path)))
    const scripts = [
      ...pages.map((page) => page.scripts),
      ...[...files].filter(([path]) => /^(?:docs|\.vitepress)\/.*\.(?:ts|vue)$/.test(path)).map(([, text]) => text),
    ].join('\n')
    const outputs = snippets.filter(({ kind }) => kind === 'output' || kind === 'table')
    return [
      ...outputs.flatMap((output) => {
        const { file, slug, name } = output
        const problems: Problem[] = []
        const own = tests.get(slug)
        const scenario = own?.scenarios.some((one) => `${one.name}.out` === name) ?? false
        if (!scenario && own?.strings.has(name) !== true) {
          const message = name.endsWith('.out')
            ? `no test writes it: write the scenario '${name.slice(0, -4)}' in test/${slug}.scenarios.ts, or remove the file`
            : `no test writes it: name '${name}' in test/${slug}.test.ts, which measures and compares it, or remove the file`
          problems.push({ at: file, message })
        }
        if (!imported.has(file) && !scripts.includes(file))
          problems.push({
            at: file,
            message: `no page shows it: import \`${fromPage(output)}${name.endsWith('.out') ? '{transcript}' : ''}\``,
          })
        return problems
      }),
      ...[...tests.values()].flatMap(({ slug, scenarios, parts, spread, unnamed, records, scenariosFile }) => {
        const problems: Problem[] = scenarios
          .filter(({ name }) => !files.has(`snippets/${slug}/${name}.out`))
          .map(({ name, at }) => ({
            at,
            message: `snippets/${slug}/${name}.out is not there: record it with npm test -- ${slug} -u`,
          }))
        for (const { name, at } of parts.filter((part) => !spread.has(part.name)))
          problems.push({
            at,
            message: `these scenarios are not the page's: write \`...${name}\` in test/${slug}.scenarios.ts`,
          })
        for (const { at } of unnamed)
          problems.push({
            at,
            message: 'a scenario without a plain name: write each as a property of the object `scenarios`',
          })
        if (scenariosFile !== undefined && !records)
          problems.push({
            at: scenariosFile,
            message: `nothing compares the outputs: call recordings('${slug}', scenarios) in test/${slug}.test.ts`,
          })
        return problems
      }),
    ]
  },
}

const covered: Rule = {
  name: 'every heading of the source has its place',
  check: ({ plan, pages }) => {
    const planned = new Set(plan.map(({ slug }) => slug))
    return [
      ...plan.flatMap(({ slug, covers }) => {
        const page = pages.find((one) => one.slug === slug && one.language === '')
        if (page === undefined) return []
        return covers
          .filter(({ at }) => at !== '' && !page.headings.some(({ anchor }) => anchor === at))
          .map(({ line, heading, at }) => ({
            at: page.file,
            message: `line ${line} of the source, "${heading}", should be at #${at}: give a heading {#${at}}, or mend .vitepress/book.ts`,
          }))
      }),
      ...pages
        .filter(({ slug }) => !planned.has(slug))
        .map(({ file, slug }) => ({
          at: file,
          message: `"${slug}" is not in the plan: add the page to .vitepress/book.ts`,
        })),
    ]
  },
}

const links: Rule = {
  name: 'every link and every anchor leads somewhere',
  check: ({ pages, snippets, files }) => {
    const byFile = new Map(pages.map((page) => [page.file, page]))
    const archives = new Set(
      pages
        .filter(({ slug }) => snippets.some((snippet) => snippet.slug === slug))
        .map(({ slug }) => `public/archives/${slug.replaceAll('/', '-')}.zip`),
    )
    return pages.flatMap((page) =>
      page.links.flatMap(({ at, href, path, anchor }) => {
        const file = path.startsWith('../') ? '' : `docs/${path}`
        const to = byFile.get(file)
        if (to === undefined) {
          if (files.has(file) || archives.has(path)) return []
          const message = path.startsWith('public/archives/')
            ? `${href} is the archive of no page with programs: mend its name`
            : `${href} leads to ${file || path}, which is not there: mend the link, or write the page first`
          return [{ at, message }]
        }
        if (
          anchor === '' ||
          to.headings.some((heading) => heading.anchor === anchor) ||
          hasId(files.get(file)!, anchor)
        )
          return []
        const has = to.headings.map((heading) => heading.anchor).join(', ')
        return [{ at, message: `${href}: ${to.file} has no heading #${anchor}, only ${has || 'none'}` }]
      }),
    )
  },
}

/** Whether an HTML tag of the page has the id. */
function hasId(text: string, id: string): boolean {
  return text.includes(` id="${id}"`)
}

const anchors: Rule = {
  name: 'no anchor is on a page twice',
  check: ({ pages }) =>
    pages.flatMap((page) =>
      page.headings
        .filter(({ repeated }) => repeated)
        .map(({ at, text, anchor }) => ({
          at,
          message: `"${text}" would be at #${anchor}: another heading has these words or this id, give each an {#id} of its own`,
        })),
    ),
}

const translations: Rule = {
  name: 'a translation has the headings, imports and tables of its page',
  check: ({ pages }) =>
    pages
      .filter(({ language }) => language !== '')
      .flatMap((page) => {
        const english = pages.find(({ slug, language }) => slug === page.slug && language === '')
        if (english === undefined)
          return [{ at: page.file, message: `there is no docs/${page.slug}.md that it translates` }]
        return [
          differences(page, english, 'heading', headingsOf(page), headingsOf(english)),
          differences(page, english, 'import', importsOf(page), importsOf(english)),
          differences(page, english, 'table', tablesOf(page), tablesOf(english)),
        ].flat()
      }),
}

interface Item {
  at: string
  what: string
}

const headingsOf = (page: Page): Item[] =>
  page.headings.map(({ at, level, anchor }) => ({ at, what: level === 1 ? '#' : `${'#'.repeat(level)} {#${anchor}}` }))
const importsOf = (page: Page): Item[] =>
  page.imports.map(({ at, path, region }) => ({ at, what: region === '' ? path : `${path}#${region}` }))
const tablesOf = (page: Page): Item[] =>
  page.tables.map(({ at, columns, rows }) => ({ at, what: `${rows} rows of ${columns}` }))

/** The first place where two lists part. */
function differences(page: Page, english: Page, kind: string, own: Item[], others: Item[]): Problem[] {
  const i = others.findIndex(({ what }, index) => own[index]?.what !== what)
  if (i !== -1) {
    const has = own[i] === undefined ? 'nothing more' : own[i].what
    return [
      {
        at: own[i]?.at ?? page.file,
        message: `${kind} ${i + 1} is ${has}, where ${others[i]!.at} has ${others[i]!.what}`,
      },
    ]
  }
  const more = own[others.length]
  return more === undefined
    ? []
    : [{ at: more.at, message: `${kind} ${others.length + 1} is ${more.what}, where ${english.file} has nothing more` }]
}

const errata: Rule = {
  name: 'every erratum names the program that proves it',
  check: ({ pages, snippets }) =>
    pages
      .filter(({ slug, language }) => slug === 'errata' && language === '')
      .flatMap((page) =>
        page.headings.flatMap((heading, i) => {
          if (heading.level !== 3) return []
          const from = lineOf(heading.at)
          const next = page.headings[i + 1]
          const to = next === undefined ? Infinity : lineOf(next.at)
          const proofs = page.links.filter(
            ({ at, code }) => code.endsWith('.ts') && lineOf(at) > from && lineOf(at) < to,
          )
          if (proofs.length === 0)
            return [
              {
                at: heading.at,
                message: `"${heading.text}" names no program: add Proof: [\`program.ts\`](/page#anchor)`,
              },
            ]
          return proofs.flatMap(({ at, code, path }) => {
            const slug = path.replace(/\.md$/, '')
            const proof = snippets.some((one) => one.name === code && (one.slug === slug || one.kind === 'posix'))
            return proof
              ? []
              : [
                  {
                    at,
                    message: `there is no snippets/${slug}/${code}: name a program of the page that the link leads to`,
                  },
                ]
          })
        }),
      ),
}

const containers: Rule = {
  name: 'every ::: is closed by its own',
  check: ({ pages }) => pages.flatMap(({ strayColons }) => strayColons),
}

function lineOf(at: string): number {
  return Number(at.slice(at.lastIndexOf(':') + 1))
}

const frontMatter: Rule = {
  name: 'every page says what it is: title, description, and the plan’s title as its heading',
  check: ({ pages, plan }) =>
    pages.flatMap((page) => {
      const problems: Problem[] = []
      const planned = plan.find(({ slug }) => slug === page.slug)
      const at = `${page.file}:1`
      // The front page is described by the site's own description.
      for (const key of page.slug === 'index' ? ['title'] : ['title', 'description']) {
        const value = page.frontMatter[key]
        if (typeof value !== 'string' || value.trim() === '')
          problems.push({ at, message: `front matter without ${key}: search engines and the browser's tab show it` })
      }
      const [first, ...more] = page.headings.filter(({ level }) => level === 1)
      if (first === undefined)
        problems.push({ at, message: `no first heading: write # ${planned?.title ?? 'a title'}` })
      for (const { at, text } of more)
        problems.push({ at, message: `"${text}" is a second heading of level 1: write ##` })
      if (first !== undefined && planned !== undefined && !startsAsPlanned(first.text, planned.title, page.language))
        problems.push({
          at: first.at,
          message: `the heading is "${first.text}", the plan says "${planned.title}": make them one`,
        })
      return problems
    }),
}

/** A translation keeps the number; the rest of the title is in its own language. */
function startsAsPlanned(heading: string, title: string, language: string): boolean {
  if (language === '') return heading.startsWith(title)
  const number = /^[\d.]+ /.exec(title)?.[0] ?? ''
  return heading.startsWith(number)
}

/** Each unit with the factors that turn it into the others that a program may print. */
const UNITS: Record<string, readonly number[]> = {
  ns: [1],
  µs: [1, 1e3],
  ms: [1, 1e3, 1e6, 1e-3],
  s: [1, 1e3, 1e6, 1e9],
  second: [1, 1e3, 1e6, 1e9],
  minute: [1, 60, 6e4],
  hour: [1, 3600, 3.6e6],
  bit: [1],
  byte: [1],
  B: [1],
  kB: [1, 1e3, 1024],
  KB: [1, 1e3, 1024],
  KiB: [1, 1024],
  MB: [1, 1e6, 2 ** 20],
  MiB: [1, 2 ** 20],
  GB: [1, 1e9, 2 ** 30],
  GiB: [1, 2 ** 30],
  '%': [1],
}
const NUMBER = new RegExp(
  String.raw`(?<![\w.#/:-])(\d+(?:[, \u202f]\d{3})*(?:\.\d+)?)[ \u00a0]?(${Object.keys(UNITS).toReversed().join('|')})s?(?!\w)`,
  'g',
)
const CITATION = /\bRFC \d|\b[a-z_]\w+\(\d\w*\)|\b(?:net|fs|mm|include|kernel|drivers)\/[\w/.-]+\.[ch]\b/

const numbers: Rule = {
  name: 'every number with a unit was printed by a program, or cites its source',
  check: ({ pages, files }) => {
    /** The numbers in all that a page shows; a text writes them with commas, a program with underscores. */
    const shownOn = (path: string): string => {
      const page = pages.find(({ file }) => file === `docs/${path}`)
      const texts = (page?.imports ?? []).map((one) => files.get(one.path) ?? '')
      return texts.join('\n').replaceAll(/(?<=\d)[,_](?=\d{3})/g, '')
    }
    // Errata quote what is wrong; their own rule asks for the proof.
    return pages
      .filter(({ slug }) => slug !== 'errata')
      .flatMap((page) =>
        page.prose.flatMap(({ at, text, cites, pages: linked }) => {
          if (cites || CITATION.test(text)) return []
          return [...text.matchAll(NUMBER)].flatMap(([number, digits, unit]) => {
            const value = Number(digits!.replaceAll(/[^\d.]/g, ''))
            const forms = UNITS[unit!]!.map((factor) => String(value * factor).replace('.', String.raw`\.`))
            const printed = new RegExp(String.raw`(?<![\d.])(?:${forms.join('|')})(?![\d.])`)
            if ([page.file.slice('docs/'.length), ...linked].some((path) => printed.test(shownOn(path)))) return []
            return [
              {
                at,
                message: `"${number}" is in no program or output of the page: let a program print it, or cite an RFC, a manual page or a file of the kernel in this paragraph`,
              },
            ]
          })
        }),
      )
  },
}

/** The import of a file as a page writes it. */
function fromPage({ file }: Snippet): string {
  return `<<< @/../${file}`
}

export const rules = {
  typed,
  imports,
  regions,
  shown,
  run,
  recorded,
  covered,
  links,
  anchors,
  translations,
  errata,
  containers,
  frontMatter,
  numbers,
} satisfies Record<string, Rule>
