// Every page of the built site, in a real browser.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { root } from '../support/recordings.ts'
import { launchBrowser, noBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'
import { pastedBook } from './pasted.ts'
import { type Visit, visitAll } from './visit.ts'

const JAVASCRIPT_LIMIT = 75_000 // bytes, gzipped

const looks = {
  '1280 pixels wide, light': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  '390 pixels wide, dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
} as const
type Look = keyof typeof looks

/** The address of each page, from its Markdown file. */
const pages = globSync('**/*.md', { cwd: join(root, 'docs') })
  .map((file) => `/${file.replace(/(?:index)?\.md$/, '')}`)
  .map((path) => (path.endsWith('/') ? path : `${path}.html`))
  .toSorted()

const reason = noBrowser()
if (reason !== undefined) console.warn(`test/site is skipped: ${reason}`)

describe.skipIf(reason !== undefined)('the built site', () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serveSite>>
  let output = ''
  const visits = new Map<Look, Map<string, Visit>>()
  const seen = (path: string, look: Look = '1280 pixels wide, light'): Visit | undefined =>
    visits.get(look)?.get(site.origin + path)

  beforeAll(async () => {
    const built = await builtSite()
    output = built.output
    site = await serveSite(built.folder)
    browser = await launchBrowser()
    const urls = pages.map((path) => site.origin + path)
    const all = Object.entries(looks) as [Look, (typeof looks)[Look]][]
    await Promise.all([
      ...all.map(async ([look, options]) => visits.set(look, await visitAll(browser, urls, options))),
      ...(inject('pastes') ? [pastedBook().catch(() => {})] : []), // the paste tests need it later, and tell what went wrong
    ])
  }, BUILD_LIMIT)

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  test('builds without a warning', () => {
    expect(output).not.toMatch(/warn|error|deprecat|\(!\)/i)
  })

  describe.each(pages)('%s', (path) => {
    test.each(Object.keys(looks) as Look[])('has no error, asks no other host, is accessible and fits: %s', (look) => {
      const { problems, violations, overflow } = seen(path, look)!
      expect(problems).toEqual([])
      expect(violations).toEqual([])
      expect(overflow, 'pixels that the page is wider than the window').toBeLessThanOrEqual(0)
    })

    test(`loads at most ${JAVASCRIPT_LIMIT} bytes of gzipped JavaScript`, () => {
      const { javaScript } = seen(path)!
      expect(javaScript).toBeGreaterThan(10_000) // it is counted at all
      expect(javaScript).toBeLessThanOrEqual(JAVASCRIPT_LIMIT)
    })

    test('takes a link to one of its headings there, past code that is not laid out yet', () => {
      const { heading } = seen(path)!
      expect(heading.top, `pixels from the top, #${heading.id}`).toBeGreaterThanOrEqual(0)
      expect(heading.top, `pixels from the top, #${heading.id}`).toBeLessThan(200)
    })

    test('has links that lead somewhere', async () => {
      const dead: string[] = []
      for (const link of new Set(seen(path)!.links)) {
        const { origin, pathname, hash } = new URL(link)
        if (origin !== site.origin) continue
        const page = seen(pathname.replace(/index\.html$/, ''))
        if (page === undefined) {
          const { status } = await fetch(origin + pathname) // an archive, a picture
          if (status !== 200) dead.push(`${pathname}: ${status}`)
        } else if (hash !== '' && !page.ids.includes(decodeURIComponent(hash.slice(1)))) {
          dead.push(`${pathname}${hash}: no such anchor`)
        }
      }
      expect(dead).toEqual([])
    })
  })

  test('an unknown address is not found', async () => {
    expect((await fetch(`${site.origin}/no-such-page.html`)).status).toBe(404)
  })

  test('search finds each page by its title', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    await page.goto(`${site.origin}/`)
    await page.locator('.VPNavBarSearch button').first().click()
    for (const path of pages.filter((each) => each !== '/')) {
      const words = seen(path)!.title.replace(/^[\d.]+ /, '')
      await page.locator('#localsearch-input').fill(words)
      await page
        .locator(`.VPLocalSearchBox a[href*="${path.replace(/\.html$/, '')}"]`)
        .first()
        .waitFor({ timeout: 10_000 })
    }
    await context.close()
  })
})
