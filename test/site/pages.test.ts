// Every page of the built site, in a real browser.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../support/recordings.ts'
import { launchBrowser, noBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'

const JAVASCRIPT_LIMIT = 75_000 // bytes, gzipped
const desktop = { width: 1280, height: 800 }
const phone = { width: 390, height: 844 }

/** The address of each page, from its Markdown file. */
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && !file.startsWith('public'))
  .map((file) => `/${file.replaceAll('\\', '/').replace(/(?:index)?\.md$/, '')}`)
  .map((path) => (path.endsWith('/') ? path : `${path}.html`))
  .toSorted()

const reason = noBrowser()
if (reason !== undefined) console.warn(`test/site is skipped: ${reason}`)

describe.skipIf(reason !== undefined)('the built site', () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serveSite>>
  let output = ''

  beforeAll(async () => {
    const built = await builtSite()
    output = built.output
    site = await serveSite(built.folder)
    browser = await launchBrowser()
  }, BUILD_LIMIT)

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  /** Opens a page in a fresh context; the context is closed when `use` is done. */
  async function open<T>(
    path: string,
    options: Parameters<Browser['newContext']>[0],
    use: (page: Page, context: BrowserContext) => Promise<T>,
  ): Promise<T> {
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      await page.goto(site.origin + path, { waitUntil: 'networkidle' })
      return await use(page, context)
    } finally {
      await context.close()
    }
  }

  test('builds without a warning', () => {
    expect(output).not.toMatch(/warn|error|deprecat|\(!\)/i)
  })

  describe.each(pages)('%s', (path) => {
    test('loads without a console error, asks no other host, and is light', async () => {
      const context = await browser.newContext({ viewport: desktop })
      const problems: string[] = []
      const scripts: Promise<number>[] = []
      const page = await context.newPage()
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(`console: ${message.text()}`)
      })
      page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
      page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
      page.on('request', (request) => {
        if (!request.url().startsWith(site.origin)) problems.push(`another host: ${request.url()}`)
      })
      page.on('response', (response) => {
        if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
        if (response.request().resourceType() === 'script' || response.url().endsWith('.js')) {
          scripts.push(response.body().then((body) => gzipSync(body).length))
        }
      })
      await page.goto(site.origin + path, { waitUntil: 'networkidle' })
      const weight = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0)
      await context.close()
      expect(problems).toEqual([])
      expect(weight).toBeGreaterThan(0)
      expect(weight, 'gzipped JavaScript in bytes').toBeLessThanOrEqual(JAVASCRIPT_LIMIT)
    })

    test.each([
      { name: '1280 pixels wide, light', viewport: desktop, colorScheme: 'light' },
      { name: '390 pixels wide, dark', viewport: phone, colorScheme: 'dark' },
    ] as const)('is accessible and fits: $name', async ({ viewport, colorScheme }) => {
      await open(path, { viewport, colorScheme, reducedMotion: 'reduce' }, async (page) => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        const found = violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
        expect(found).toEqual([])
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
        expect(overflow, 'pixels that the page is wider than the window').toBeLessThanOrEqual(0)
      })
    })

    test('has links that lead somewhere', async () => {
      await open(path, { viewport: desktop }, async (page) => {
        const links = await page.evaluate<string[]>(
          '[...document.querySelectorAll("a[href]")].map((link) => link.href)',
        )
        const internal = [...new Set(links)].filter((link) => link.startsWith(site.origin)).map((link) => new URL(link))
        const dead: string[] = []
        for (const [address, hashes] of Map.groupBy(internal, ({ origin, pathname }) => origin + pathname)) {
          const response = await page.request.get(address)
          const html = response.ok() ? await response.text() : ''
          if (!response.ok()) dead.push(`${address}: ${response.status()}`)
          for (const { hash } of hashes.filter(({ hash: value }) => value !== '')) {
            const id = decodeURIComponent(hash.slice(1))
            if (response.ok() && !html.includes(` id="${id}"`)) dead.push(`${address}${hash}: no such anchor`)
          }
        }
        expect(dead).toEqual([])
      })
    })
  })

  test('search finds each page by its title', async () => {
    await open('/', { viewport: desktop }, async (page) => {
      for (const path of pages.filter((each) => each !== '/')) {
        const html = await (await page.request.get(site.origin + path)).text()
        const title = /<h1[^>]*>([^<]*)/.exec(html)?.[1]?.trim() ?? ''
        expect(title, path).not.toBe('')
        await page.keyboard.press('Control+k')
        await page.locator('#localsearch-input').fill(title.replace(/^[\d.]+ /, ''))
        const result = page.locator(`.VPLocalSearchBox a[href*="${path.replace(/\.html$/, '')}"]`).first()
        await result.waitFor({ timeout: 5000 })
        await page.keyboard.press('Escape')
        await page.locator('.VPLocalSearchBox').waitFor({ state: 'detached' })
      }
    })
  })
})
