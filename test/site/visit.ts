// One visit to a page: what the browser saw, for the tests to judge.

import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions } from 'playwright-core'

export interface Visit {
  /** Console errors and warnings, uncaught errors, failed requests, requests to another host. */
  problems: string[]
  /** The JavaScript that came, in bytes, each file gzipped. */
  javaScript: number
  /** Violations that axe finds, each with the element. */
  violations: string[]
  /** How many pixels the page is wider than the window. */
  overflow: number
  /** Where the links of the page lead, resolved. */
  links: string[]
  /** The ids of the page: what a link's anchor may name. */
  ids: string[]
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions): Promise<Visit> {
  const { origin } = new URL(url)
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  try {
    const page = await context.newPage()
    const problems: string[] = []
    const scripts: Promise<number>[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
    page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) problems.push(`another host: ${request.url()}`)
    })
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
      if (new URL(response.url()).pathname.endsWith('.js')) {
        scripts.push(response.body().then((body) => gzipSync(body).length))
      }
    })
    await page.goto(url, { waitUntil: 'networkidle' })
    const weights = await Promise.all(scripts)
    const links = await page.evaluate<string[]>('[...document.querySelectorAll("a[href]")].map((link) => link.href)')
    const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map(({ id }) => id)')
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    await page.evaluate(foldCode)
    // Legacy mode does without a second page for frames, of which there are none here; passes nobody reads.
    const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] })
    const { violations } = await axe.analyze()
    return {
      problems,
      javaScript: weights.reduce((sum, size) => sum + size, 0),
      violations: violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`)),
      overflow,
      links,
      ids,
    }
  } finally {
    await context.close()
  }
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

/** Runs `act` on each item, `width` of them at a time, and keeps the outcomes by item. */
export async function eachOf<T, R>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<R>,
): Promise<Map<T, R>> {
  const outcomes = new Map<T, R>()
  const queue = [...items]
  async function work(): Promise<void> {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) outcomes.set(item, await act(item))
  }
  await Promise.all(Array.from({ length: width }, work))
  return outcomes
}
