// One visit to a page: what the browser saw, for the tests to judge.

import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, ConsoleMessage, Page, Request, Response } from 'playwright-core'

export interface Visit {
  /** The text of the page's heading. */
  title: string
  /** Console errors and warnings, uncaught errors, failed requests, requests to another host. */
  problems: string[]
  /** The JavaScript that came, in bytes, each file gzipped. */
  javaScript: number
  /** Violations that axe finds, each with the element. */
  violations: string[]
  /** How many pixels the page is wider than the window. */
  overflow: number
  /** A heading in the middle of the page, and how many pixels below the top of the window a link to it brings it. */
  heading: { id: string; top: number }
  /** Where the links of the page lead, resolved. */
  links: string[]
  /** The ids of the page: what a link's anchor may name. */
  ids: string[]
}

/**
 * Visits one page after the other in one tab: a browser takes longer to make a tab than to load a page.
 * @returns what was seen, by URL
 */
export async function visitAll(
  browser: Browser,
  urls: readonly string[],
  options: BrowserContextOptions,
): Promise<Map<string, Visit>> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  try {
    const page = await context.newPage()
    const visits = new Map<string, Visit>()
    for (const url of urls) visits.set(url, await visit(page, url))
    return visits
  } finally {
    await context.close()
  }
}

async function visit(page: Page, url: string): Promise<Visit> {
  const { origin } = new URL(url)
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

  await page.goto(url, { waitUntil: 'networkidle' })
  // What the page has used, whether it came over the wire or from the tab's cache.
  const used = await page.evaluate<string[]>('performance.getEntriesByType("resource").map(({ name }) => name)')
  const scripts = used.filter((name) => new URL(name).pathname.endsWith('.js'))
  const sizes = await Promise.all([...new Set(scripts)].map(weigh))
  const title = await page.locator('h1').first().textContent()
  const links = await page.evaluate<string[]>('[...document.querySelectorAll("a[href]")].map((link) => link.href)')
  const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map(({ id }) => id)')
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  const heading = await page.evaluate<Visit['heading']>(goToHeading)
  await page.evaluate(foldCode)
  // Legacy mode does without a second page for frames, of which there are none here; passes nobody reads.
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] })
  const { violations } = await axe.analyze()
  page.removeAllListeners()

  return {
    title: (title ?? '').replaceAll(/[\u200B#]/g, '').trim(),
    problems,
    javaScript: sizes.reduce((sum, size) => sum + size, 0),
    violations: violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`)),
    overflow,
    heading,
    links,
    ids,
  }
}

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
 * Words of code that look the same need one look: of each style in each kind of block the first word stays, the others become
 * text of their line. Hidden tabs go, which axe passes over anyway. The longest page has 17,000 words of code, and axe would
 * take 20 seconds for them.
 */
const foldCode = `
  for (const block of document.querySelectorAll('.vp-code-group .blocks > div:not(.active)')) block.remove()
  const seen = new Set()
  for (const word of document.querySelectorAll('.shiki .line > span')) {
    const style = word.className + ' ' + word.closest('div[class*="language-"]').className
    if (seen.has(style)) word.replaceWith(word.textContent)
    else seen.add(style)
  }
  for (const line of document.querySelectorAll('.shiki .line')) {
    if (line.childElementCount === 0) line.replaceWith(line.textContent)
  }
  seen.size`
