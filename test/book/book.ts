// The book as the rules see it: its pages as VitePress parses them, its programs and outputs, and its tests.
//
// A book is made from files by their path and from a plan, and reads nothing itself: a test can hand it a book of five files.

// cspell:words quasis

import { globSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Token } from 'markdown-it'
import { Visitor, parseSync } from 'vite'
import { type MarkdownRenderer, createMarkdownRenderer } from 'vitepress'
import { frontPage, pages as plannedPages } from '../../.vitepress/book.ts'

/** Files of the project by their path from its root. */
export type Files = ReadonlyMap<string, string>

/** What the rules need to know of .vitepress/book.ts. */
export interface PlannedPage {
  slug: string
  title: string
  covers: readonly { line: number; heading: string; at: string }[]
}

/** `at` is where in the project something stands: `docs/servers/iterative.md:12`. */
interface Place {
  at: string
}

export interface Heading extends Place {
  level: number
  text: string
  /** Its id in the page, as VitePress gives it. */
  anchor: string
  /** Whether a heading above it has claimed the same id. */
  repeated: boolean
}

/** A line `<<< @/../snippets/x.ts#region{lang} [label]`. */
export interface Import extends Place {
  /** The imported file by its path from the root. */
  path: string
  region: string
  label: string
  inGroup: boolean
  /** Lines marked by their numbers. */
  byNumber: boolean
}

/** Code typed into a page. */
export interface Fence extends Place {
  language: string
  text: string
}

export interface Link extends Place {
  /** As the page has it. */
  href: string
  /** What it leads to: a file by its path under docs/ (`servers/iterative.md`, `public/archives/x.zip`). */
  path: string
  /** The anchor, as VitePress writes it into the finished page. */
  anchor: string
  /** The text of the link where it is code. */
  code: string
}

export interface Table extends Place {
  columns: number
  rows: number
}

/** Running text: a paragraph, an item of a list, a row of a table. */
export interface Prose extends Place {
  text: string
  /** Whether it links to another site. */
  cites: boolean
  /** The pages that it links to, by their path under docs/. */
  pages: string[]
}

export interface Page {
  file: string
  /** The path under docs/ without the extension; of a translation, the one of the page that it translates. */
  slug: string
  /** The folder of a translation, such as `zh`; '' for English. */
  language: string
  frontMatter: Record<string, unknown>
  headings: Heading[]
  imports: Import[]
  fences: Fence[]
  links: Link[]
  tables: Table[]
  prose: Prose[]
  /** `:::` where it goes wrong: one inside another that has no more colons, or one that closes nothing. */
  strayColons: (Place & { message: string })[]
  /** What its own scripts import, for instance a table of measurements. */
  scripts: string
  /** Files of `@include` that are not there. */
  missing: (Place & { path: string })[]
}

export interface Region extends Place {
  name: string
}

/** A file in snippets/. */
export interface Snippet {
  file: string
  /** The slug of its page. */
  slug: string
  /** Its path in a reader's folder. */
  name: string
  kind: 'program' | 'posix' | 'output' | 'table' | 'other'
  regions: Region[]
  /** Region marks that do not come in pairs. */
  faults: (Place & { message: string })[]
  /** Strings in a program: with them it names the other programs that it starts. */
  strings: ReadonlySet<string>
}

/** The tests of a page: test/SLUG.test.ts and test/SLUG.scenarios.ts, and the files in test/SLUG/ that they are split into. */
export interface Tests {
  slug: string
  testFile: string | undefined
  scenariosFile: string | undefined
  scenarios: (Place & { name: string })[]
  /** Scenarios in files of their own, by the name of the variable, and the names that the scenarios spread in (`...servers`). */
  parts: (Place & { name: string })[]
  spread: ReadonlySet<string>
  /** Scenarios under a name that cannot be read without a run. */
  unnamed: Place[]
  /** Whether the test records the page's scenarios. */
  records: boolean
  /** Every string in both files. */
  strings: ReadonlySet<string>
}

export interface Book {
  files: Files
  plan: readonly PlannedPage[]
  pages: Page[]
  snippets: Snippet[]
  tests: Map<string, Tests>
}

/** The book of this project, or a copy of it. */
export function readFiles(root: string): Files {
  const patterns = [
    'docs/**/*',
    'snippets/**/*',
    'test/**/*.ts',
    'bench/**/*',
    '.vitepress/{parts,theme}/**/*',
    '*.json',
  ]
  const paths = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted()
  return new Map(
    paths
      .filter((path) => statSync(join(root, path)).isFile())
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  )
}

export const realPlan: readonly PlannedPage[] = [frontPage, ...plannedPages]

export function readBook(files: Files, plan: readonly PlannedPage[] = realPlan): Book {
  const paths = [...files.keys()]
  const slugs = new Set(plan.map(({ slug }) => slug))
  return {
    files,
    plan,
    pages: paths.filter((path) => /^docs\/.*\.md$/.test(path)).map((path) => readPage(path, files)),
    snippets: paths
      .filter((path) => path.startsWith('snippets/'))
      .map((path) => readSnippet(path, files.get(path)!, slugs)),
    tests: readTests(files, slugs),
  }
}

// ---- pages: VitePress' own parser, so that a page means here what it means in the built site ----

/** Where the parser believes the project to be; it reads no file, so any folder will do. */
const ROOT = '/book'

/** Headings that claim an id twice: VitePress stops at them, this remembers them and goes on. */
interface Env extends Record<string | symbol, unknown> {
  content?: string
  frontmatter?: Record<string, unknown>
  repeated?: Map<number, string>
}

const markdown: MarkdownRenderer = await createMarkdownRenderer(`${ROOT}/docs`, {
  highlight: () => '', // nothing is rendered
  config(md) {
    md.core.ruler.before('anchor', 'live_sockets_repeated_ids', (state) => {
      const ids = new Set<string>()
      const repeated = ((state.env as Env).repeated = new Map<number, string>())
      for (const [i, token] of state.tokens.entries()) {
        if (token.type !== 'heading_open' || token.attrGet('id') === null) continue
        const id = attribute(token, 'id')
        if (ids.has(id)) {
          repeated.set(i, id)
          token.attrSet('id', `${id}-again-${i}`)
        }
        ids.add(id)
      }
    })
  },
})

/** The options as the renderer's rules want them typed. */
const options = markdown.options as Parameters<NonNullable<typeof markdown.renderer.rules.link_open>>[2]

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '')
}

const parsed = new Map<string, Page>()

function readPage(file: string, files: Files): Page {
  const own = parsePart(file, file, files.get(file)!)
  const page: Page = { ...own, missing: [] }
  const seen = new Set([file])
  const includes = [...own.missing]
  for (const { path, at } of includes) {
    const text = files.get(path)
    if (text === undefined) page.missing.push({ path, at })
    if (text === undefined || seen.has(path)) continue
    seen.add(path)
    const part = parsePart(path, file, text)
    includes.push(...part.missing)
    for (const list of ['headings', 'imports', 'fences', 'links', 'tables', 'prose', 'strayColons'] as const) {
      page[list] = [...page[list], ...part[list]] as never
    }
  }
  return page
}

/** Parses a page, or a part that a page includes; `missing` lists what it includes in turn. */
function parsePart(file: string, pageFile: string, text: string): Page {
  const key = [file, pageFile, text].join('\0')
  const known = parsed.get(key)
  if (known !== undefined) return known

  const relativePath = pageFile.slice('docs/'.length)
  const [, language = '', slug = ''] = /^(?:([a-z]{2})\/)?(.*)\.md$/.exec(relativePath) ?? []
  const env: Env = { path: `${ROOT}/${file}`, relativePath }
  const archive = slug.replaceAll('/', '-')
  const tokens = markdown.parse(text.replaceAll('%archive%', archive), env)
  const above = text.split('\n').length - (env.content ?? text).split('\n').length
  const at = (line: number): string => `${file}:${above + line + 1}`

  const page: Page = {
    file: pageFile,
    slug,
    language,
    frontMatter: env.frontmatter ?? {},
    headings: [],
    imports: [],
    fences: [],
    links: [],
    tables: [],
    prose: [],
    strayColons: [],
    scripts: '',
    missing: [],
  }

  const html = (content: string, line: number): void => {
    for (const match of content.matchAll(/<!--\s*@include:\s*(\S+?)(?:[#{]\S*)?\s*-->/g)) {
      page.missing.push({ at: at(line + newlines(content, match.index)), path: resolve(file, match[1]!) })
    }
    if (content.startsWith('<script')) page.scripts += content
    for (const match of content.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
      link(match[1]!, match[1]!, '', line + newlines(content, match.index))
    }
  }
  const link = (href: string, written: string, code: string, line: number): void => {
    if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(href)) return
    page.links.push({ at: at(line), href: written, code, ...target(href, relativePath) })
  }

  const containers: string[] = []
  let group = false
  let row: Prose | undefined
  let line = 0
  for (const [i, token] of tokens.entries()) {
    line = token.map?.[0] ?? line
    if (/^container_.*_open$/.test(token.type)) {
      const outer = containers.at(-1)
      if (outer !== undefined && token.markup.length >= outer.length)
        page.strayColons.push({
          at: at(line),
          message: `the end of this ${token.markup} would end the ${outer} around it as well: give the outer one more colons`,
        })
      containers.push(token.markup)
    }
    if (/^container_.*_close$/.test(token.type)) containers.pop()
    if (token.type === 'inline' && /^:{3,}$/.test(token.content))
      page.strayColons.push({ at: at(line), message: `${token.content} closes nothing: remove it` })
    switch (token.type) {
      case 'heading_open': {
        const repeated = env.repeated?.get(i)
        page.headings.push({
          at: at(line),
          level: Number(token.tag.slice(1)),
          text: plain(tokens[i + 1]!).trim(),
          anchor: repeated ?? attribute(token, 'id'),
          repeated: repeated !== undefined || isNumbered(attribute(token, 'id'), tokens[i + 1]!.content, page.headings),
        })
        break
      }
      case 'container_code-group_open':
        group = true
        break
      case 'container_code-group_close':
        group = false
        break
      case 'fence':
        if (typeof token.meta?.src === 'string') {
          page.imports.push({
            at: at(line),
            path: posix.relative(ROOT, token.meta.src),
            region: String(token.meta['region']),
            label: /\[(.+)\]$/.exec(token.info)?.[1] ?? '',
            inGroup: group,
            byNumber: /\{[\d,-]+\}/.test(token.info),
          })
        } else {
          const language = /^[^\s:{[]*/.exec(token.info.trim())![0].toLowerCase()
          page.fences.push({ at: at(line), language, text: token.content })
        }
        break
      case 'code_block':
        page.fences.push({ at: at(line), language: '', text: token.content })
        break
      case 'html_block':
        html(token.content, line)
        break
      case 'table_open':
        page.tables.push({ at: at(line), columns: 0, rows: 0 })
        break
      case 'tr_open':
        page.tables.at(-1)!.rows++
        row = { at: at(line), text: '', cites: false, pages: [] }
        page.prose.push(row)
        break
      case 'tr_close':
        row = undefined
        break
      case 'th_open':
        page.tables.at(-1)!.columns++
        break
      case 'inline':
        readInline(token, line, tokens[i - 1]!.type === 'heading_open')
        break
    }
  }

  function readInline(inline: Token, start: number, isHeading: boolean): void {
    const children = inline.children ?? []
    let line = start
    const links = page.links.length
    let cites = false
    for (const [i, child] of children.entries()) {
      if (isBreak(child)) line++
      if (child.type === 'html_inline' && child.meta?.isPermalinkSymbol !== true) html(child.content, line)
      if (child.type === 'image') link(attribute(child, 'src'), attribute(child, 'src'), '', line)
      if (child.type === 'link_open' && child.attrGet('class') !== 'header-anchor') {
        const written = attribute(child, 'href')
        // VitePress turns `../x.md#A heading` into `../x.html#a-heading` as it renders a link.
        markdown.renderer.rules.link_open!(children, i, options, env, markdown.renderer)
        const code = children[i + 1]?.type === 'code_inline' ? children[i + 1]!.content : ''
        cites ||= /^https?:/.test(written)
        link(attribute(child, 'href'), written, code, line)
      }
    }
    if (isHeading) return
    const linked = page.links.slice(links).map(({ path }) => path)
    if (row === undefined) page.prose.push({ at: at(start), text: plain(inline), cites, pages: linked })
    else {
      row.text += `${plain(inline)} | `
      row.cites ||= cites
      row.pages.push(...linked)
    }
  }

  parsed.set(key, page)
  return page
}

/** Whether VitePress numbered the id because a heading above has the same words. */
function isNumbered(anchor: string, content: string, above: readonly Heading[]): boolean {
  const [, base] = /^(.+)-\d+$/.exec(anchor) ?? []
  return base !== undefined && !content.includes(`{#${anchor}`) && above.some((heading) => heading.anchor === base)
}

/** The text of an inline token without marks, links' addresses and HTML. */
function plain(inline: Token): string {
  return (inline.children ?? [])
    .filter((token) => ['text', 'code_inline'].includes(token.type) || isBreak(token))
    .map((token) => (isBreak(token) ? ' ' : token.content))
    .join('')
}

/** The end of a line inside a paragraph. */
function isBreak({ type }: Token): boolean {
  return type.endsWith('break')
}

function newlines(text: string, end: number): number {
  return text.slice(0, end).split('\n').length - 1
}

/** A path that VitePress reads from a page; `@` is docs/. */
function resolve(file: string, path: string): string {
  return path.startsWith('@') ? posix.join('docs', path.slice(1)) : posix.join(posix.dirname(file), path)
}

/** What a link of the finished page leads to. */
function target(href: string, relativePath: string): { path: string; anchor: string } {
  const [address = '', hash = ''] = href.split('#', 2)
  const anchor = decodeURIComponent(hash)
  const bare = decodeURIComponent(address.replace(/\?.*$/, ''))
  if (bare === '') return { path: relativePath, anchor }
  const path = bare.startsWith('/') ? bare.slice(1) : posix.join(posix.dirname(relativePath), bare)
  if (path === '' || path.endsWith('/')) return { path: posix.join(path, 'index.md'), anchor }
  if (path.endsWith('.html')) return { path: path.replace(/\.html$/, '.md'), anchor }
  return { path: bare.startsWith('/') ? `public/${path}` : path, anchor }
}

// ---- snippets ----

function readSnippet(file: string, text: string, slugs: ReadonlySet<string>): Snippet {
  const path = file.slice('snippets/'.length)
  let slug = posix.dirname(path)
  while (slug.includes('/') && !slugs.has(slug)) slug = posix.dirname(slug)
  if (!slugs.has(slug)) slug = posix.dirname(path)
  const isPosix = path.startsWith('posix/')
  const { regions, faults } = readRegions(file, text)
  return {
    file,
    slug,
    name: isPosix ? path : posix.relative(slug, path),
    kind: kindOf(path, isPosix),
    regions,
    faults,
    strings: path.endsWith('.ts') && !isPosix ? readCode(file, text).strings : new Set(),
  }
}

function kindOf(path: string, isPosix: boolean): Snippet['kind'] {
  if (path.endsWith('.ts')) return isPosix ? 'posix' : 'program'
  if (path.endsWith('.out')) return 'output'
  return path.endsWith('.json') ? 'table' : 'other'
}

// The marks as VitePress knows them, in the comments of TypeScript and of C, Python and shells.
const START = /^\s*(?:\/\/\s*#?|#\s*(?:#\s*|pragma\s+)?)region\b\s*(.*?)\s*$/
const END = /^\s*(?:\/\/\s*#?|#\s*(?:#\s*|pragma\s+)?)end ?region\b\s*(.*?)\s*$/

function readRegions(file: string, text: string): Pick<Snippet, 'regions' | 'faults'> {
  const regions: Region[] = []
  const faults: Snippet['faults'] = []
  const open: Region[] = []
  if (/\.(?:out|json|md)$/.test(file)) return { regions, faults }
  for (const [i, line] of text.split('\n').entries()) {
    const at = `${file}:${i + 1}`
    const start = START.exec(line)?.[1]
    const end = END.exec(line)?.[1]
    if (start === '')
      faults.push({
        at,
        message: 'a region without a name: write `// #region NAME`, or begin the comment with another word',
      })
    if (start !== undefined && start !== '') {
      open.push({ name: start, at })
      regions.push({ name: start, at })
    }
    if (end === undefined) continue
    const index = open.findLastIndex(({ name }) => name === end)
    if (index === -1) {
      faults.push({
        at,
        message: `\`#endregion ${end}\` closes nothing: write the name of the region that is open (${open.at(-1)?.name ?? 'none is'})`,
      })
      continue
    }
    const [, ...inner] = open.splice(index)
    for (const { name, at } of inner)
      faults.push({ at, message: `region "${name}" is still open where "${end}" ends: close it before` })
  }
  for (const { name, at } of open)
    faults.push({ at, message: `region "${name}" is not closed: write \`// #endregion ${name}\`` })
  return { regions, faults }
}

// ---- tests ----

function readTests(files: Files, slugs: ReadonlySet<string>): Map<string, Tests> {
  const tests = new Map<string, Tests>()
  for (const [path, text] of files) {
    const [, name, kind] = /^test\/(?!(?:book|site|support)\/)(.+?)(?:\.(test|scenarios))?\.ts$/.exec(path) ?? []
    if (name === undefined) continue
    const folder = posix.dirname(name)
    const isPart = slugs.has(folder)
    if (kind === undefined && !isPart) continue
    const slug = isPart ? folder : name
    const known = tests.get(slug)
    const code = readCode(path, text)
    const ofScenarios = isPart || kind === 'scenarios'
    tests.set(slug, {
      slug,
      testFile: !isPart && kind === 'test' ? path : known?.testFile,
      scenariosFile: !isPart && kind === 'scenarios' ? path : known?.scenariosFile,
      scenarios: [...(known?.scenarios ?? []), ...(ofScenarios ? code.scenarios : [])],
      parts: [...(known?.parts ?? []), ...(isPart ? code.variables : [])],
      spread: new Set([...code.spread, ...(known?.spread ?? [])]),
      unnamed: [...(known?.unnamed ?? []), ...(ofScenarios ? code.unnamed : [])],
      records: (known?.records ?? false) || (kind === 'test' && code.records && code.strings.has(slug)),
      strings: new Set([...code.strings, ...(known?.strings ?? [])]),
    })
  }
  return tests
}

interface Code {
  strings: Set<string>
  /** Whether it calls `recordings(…)`. */
  records: boolean
  scenarios: (Place & { name: string })[]
  /** The variables that hold them. */
  variables: (Place & { name: string })[]
  spread: Set<string>
  unnamed: Place[]
}

const codes = new Map<string, Code>()

/** What the rules need to know of a TypeScript file, read from its syntax tree: comments do not count. */
function readCode(file: string, text: string): Code {
  const key = `${file}\0${text}`
  const known = codes.get(key)
  if (known !== undefined) return known
  const code: Code = {
    strings: new Set(),
    records: false,
    scenarios: [],
    variables: [],
    spread: new Set(),
    unnamed: [],
  }
  const at = (offset: number): string => `${file}:${newlines(text, offset) + 1}`
  new Visitor({
    Literal({ value }) {
      if (typeof value === 'string') code.strings.add(value)
    },
    TemplateLiteral({ quasis }) {
      if (quasis.length === 1) code.strings.add(quasis[0]!.value.cooked ?? '')
    },
    CallExpression({ callee }) {
      if (callee.type === 'Identifier' && callee.name === 'recordings') code.records = true
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== 'Identifier' || init === null) return
      if (id.name !== 'scenarios' && !isTyped(id, 'Scenarios')) return
      code.variables.push({ name: id.name, at: at(id.start) })
      let object = init
      while (object.type === 'TSSatisfiesExpression' || object.type === 'TSAsExpression') object = object.expression
      if (object.type !== 'ObjectExpression') {
        code.unnamed.push({ at: at(object.start) })
        return
      }
      for (const property of object.properties) {
        // `...part`, where the file that it comes from types it as Scenarios.
        if (property.type === 'SpreadElement' && property.argument.type === 'Identifier') {
          code.spread.add(property.argument.name)
          continue
        }
        const name = property.type === 'Property' && !property.computed ? nameOf(property.key) : undefined
        if (name === undefined) code.unnamed.push({ at: at(property.start) })
        else code.scenarios.push({ name, at: at(property.start) })
      }
    },
  }).visit(parseSync(file, text).program)
  codes.set(key, code)
  return code
}

/** Whether a variable is declared with that type: `const servers: Scenarios = …`. */
function isTyped({ typeAnnotation }: { typeAnnotation?: unknown }, name: string): boolean {
  const type = (typeAnnotation as { typeAnnotation?: { typeName?: { name?: unknown } } } | null)?.typeAnnotation
  return type?.typeName?.name === name
}

function nameOf(key: { type: string; name?: unknown; value?: unknown }): string | undefined {
  if (key.type === 'Identifier') return String(key.name)
  return key.type === 'Literal' ? String(key.value) : undefined
}
