// One visit to a page: what the browser saw, for the tests to judge.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import axe from 'axe-core'
import type { ConsoleMessage, Page, Request, Response } from 'playwright-core'
import { onceInRun } from '../support/once.ts'
import { root } from '../support/recordings.ts'
import { launchBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'
import { type Files, allowClipboard, copyFrom } from './copy.ts'

/** The address of each page, from its Markdown file. */
export const pages = globSync('**/*.md', { cwd: join(root, 'docs') })
  .map((file) => `/${file.replace(/(?:index)?\.md$/, '')}`)
  .map((path) => (path.endsWith('/') ? path : `${path}.html`))
  .toSorted()

/** How readers look at a page: each is judged in both. */
export const looks = {
  '390 pixels wide, dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  '1280 pixels wide, light': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
} as const
export type Look = keyof typeof looks

export interface Visit {
  /** The text of the page's heading. */
  title: string
  /** Console errors and warnings, uncaught errors, failed requests, requests to another host. */
  problems: string[]
  /** The JavaScript that came, in bytes, each file gzipped. */
  javaScript: number
  /** In each look, the violations that axe finds, each with its element, and how many pixels the page is wider than the window. */
  looks: Record<Look, { violations: string[]; overflow: number }>
  /** A heading in the middle of the page, and how many pixels below the top of the window a link to it brings it. */
  heading: { id: string; top: number }
  /** Where the page's links inside of the site lead, resolved: `/servers/udp.html#loss`. */
  links: string[]
  /** The ids of the page: what a link's anchor may name. */
  ids: string[]
  /** The files of its code groups, as the copy buttons give them. */
  files: Files
  /** Its figure of states, at first and after each key that works it; on other pages nothing. */
  figure: FigureState[]
}

export interface FigureState {
  said: string
  /** The states that are marked, each once. */
  marked: string[]
  /** What has the focus, and the line around it. */
  focus: string
}

/** Windows at a time: a browser takes longer to make one than to load a page, and one alone does not fill two cores. */
const WINDOWS = 2

/** Visits every page of the built site, once in a run: what was seen, by the page's address in the site. */
export async function visitedSite(): Promise<Record<string, Visit>> {
  return await onceInRun('visits', BUILD_LIMIT, async () => {
    const site = await serveSite((await builtSite()).folder)
    const browser = await launchBrowser()
    try {
      const visits: Record<string, Visit> = {}
      const left = [...pages]
      const inWindow = async (): Promise<void> => {
        // A window of its own: a tab behind another one draws a frame a second.
        const context = await browser.newContext({ ...looks['1280 pixels wide, light'], reducedMotion: 'reduce' })
        await allowClipboard(context, site.origin)
        const page = await context.newPage()
        for (let path = left.shift(); path !== undefined; path = left.shift())
          visits[path] = await visit(page, site.origin, path)
      }
      await Promise.all(Array.from({ length: WINDOWS }, inWindow))
      return visits
    } finally {
      await browser.close()
      await site.close()
    }
  })
}

async function visit(page: Page, origin: string, path: string): Promise<Visit> {
  const problems: string[] = []
  const listeners = {
    console: (message: ConsoleMessage) => {
      if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`)
    },
    pageerror: (error: Error) => problems.push(`uncaught: ${error.message}`),
    requestfailed: (request: Request) => problems.push(`failed: ${request.url()}`),
    request: (request: Request) => {
      if (!request.url().startsWith(origin)) problems.push(`another host: ${request.url()}`)
    },
    response: (response: Response) => {
      if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
    },
  }
  page.on('console', listeners.console).on('pageerror', listeners.pageerror)
  page.on('requestfailed', listeners.requestfailed).on('request', listeners.request).on('response', listeners.response)

  await page.goto(origin + path)
  await page.waitForFunction('document.querySelector("#app").__vue_app__') // its buttons work now
  // What the page has used, whether it came over the wire or from the tab's cache.
  const used = await page.evaluate<string[]>('performance.getEntriesByType("resource").map(({ name }) => name)')
  const scripts = used.filter((name) => new URL(name).pathname.endsWith('.js'))
  const sizes = await Promise.all([...new Set(scripts)].map(weigh))
  const title = await page.locator('h1').first().textContent()
  const links = await page.evaluate<string[]>('[...document.querySelectorAll("a[href]")].map((link) => link.href)')
  const own = links.filter((link) => new URL(link).origin === origin).map((link) => link.slice(origin.length))
  const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map(({ id }) => id)')
  const heading = await page.evaluate<Visit['heading']>(goToHeading)
  const files = await copyFrom(page)
  const figure = await workFigure(page)
  await page.evaluate(fold)
  await page.evaluate(`${axe.source};axe.configure({ noHtml: true })`) // only where: the source of each element takes time
  const seen: Partial<Visit['looks']> = {}
  for (const [look, { viewport, colorScheme }] of Object.entries(looks)) {
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    await page.locator(`html${colorScheme === 'dark' ? '.dark' : ':not(.dark)'}`).waitFor({ state: 'attached' })
    seen[look as Look] = {
      overflow: await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
      violations: await page.evaluate<string[]>(violations),
    }
  }
  page.removeAllListeners()

  return {
    title: (title ?? '').replaceAll(/[\u200B#]/g, '').trim(),
    problems,
    javaScript: sizes.reduce((sum, size) => sum + size, 0),
    looks: seen as Visit['looks'],
    heading,
    links: own,
    ids,
    files,
    figure,
  }
}

/** The keys that work the figure of states, from its list on: the next of the list, then the buttons Previous and Next. */
const figureKeys = ['ArrowDown', 'Tab', 'Enter', 'Enter', 'Tab', 'Space']

async function workFigure(page: Page): Promise<FigureState[]> {
  const list = page.locator('.machine select')
  if ((await list.count()) === 0) return []
  await list.focus()
  const seen = [await page.evaluate<FigureState>(figureState)]
  for (const key of figureKeys) {
    await page.keyboard.press(key)
    seen.push(await page.evaluate<FigureState>(figureState))
  }
  return seen
}

const figureState = `(() => {
  const marked = [...document.querySelectorAll('.machine .chosen .state')].map(({ textContent }) => textContent)
  return {
    said: document.querySelector('.machine [aria-live=polite]').textContent,
    marked: [...new Set(marked)],
    focus: (document.activeElement.ariaLabel ?? document.activeElement.textContent) + ', ' + getComputedStyle(document.activeElement).outlineStyle,
  }
})()`

/** What axe finds in the page, where it is: passes nobody reads. */
const violations = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`

/** Not the last heading: no page is long enough to bring that one to the top. */
const goToHeading = `(async () => {
  const headings = [...document.querySelectorAll('.vp-doc h2[id]')]
  const heading = headings[Math.floor((headings.length - 1) / 2)]
  location.hash = heading.id
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
  const { top } = heading.getBoundingClientRect()
  scrollTo(0, 0)
  return { id: heading.id, top }
})()`

const weights = new Map<string, Promise<number>>()

/** The bytes of a file, gzipped. */
function weigh(url: string): Promise<number> {
  const known = weights.get(url)
  if (known !== undefined) return known
  const weight = fetch(url)
    .then((response) => response.arrayBuffer())
    .then((body) => gzipSync(body).length)
  weights.set(url, weight)
  return weight
}

/**
 * What looks the same needs one look. Of the words of a style in a kind of block the first stays, the others become text of
 * their line; of the blocks of a kind those stay that have such a word, and the widest; of code in a sentence, the first in
 * each kind of place. Hidden tabs go, which axe passes over anyway. The longest page has 17,000 words of code, and axe would
 * take 20 seconds for them.
 */
const fold = `{
  for (const block of document.querySelectorAll('.vp-code-group .blocks > div:not(.active)')) block.remove()
  const seen = new Set()
  const isNew = (look) => !seen.has(look) && seen.add(look)
  const blocks = [...document.querySelectorAll('.vp-doc div[class*="language-"]')]
  const needed = new Set()
  const widest = new Map()
  for (const block of blocks) {
    let width = 0
    for (const line of block.querySelectorAll('.shiki .line')) {
      width = Math.max(width, line.textContent.length)
      for (const word of line.querySelectorAll(':scope > span')) {
        if (isNew(word.className + ' ' + block.className)) needed.add(block)
        else word.replaceWith(word.textContent)
      }
      if (line.childElementCount === 0) line.replaceWith(line.textContent)
    }
    if (!(widest.get(block.className)?.width >= width)) widest.set(block.className, { block, width })
  }
  for (const { block } of widest.values()) needed.add(block)
  for (const block of blocks) if (!needed.has(block)) block.remove()
  for (const code of document.querySelectorAll('.vp-doc :is(p, li) > code')) {
    let place = ''
    for (let each = code; !each.matches('.vp-doc'); each = each.parentElement) place += each.tagName + '.' + each.className + ' '
    if (!isNew(place)) code.replaceWith(code.textContent)
  }
}`
