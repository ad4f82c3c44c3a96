// Every page of the built site, in a real browser.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { edges } from '../../.vitepress/theme/state-machine.ts'
import { launchBrowser, noBrowser } from './browser.ts'
import { BUILD_LIMIT, builtSite, serveSite } from './built-site.ts'
import { pastedBook } from './pasted.ts'
import { type Look, type Visit, looks, pages, visitedSite } from './visit.ts'

const JAVASCRIPT_LIMIT = 75_000 // bytes, gzipped

const reason = noBrowser()
if (reason !== undefined) console.warn(`test/site is skipped: ${reason}`)

describe.skipIf(reason !== undefined)('the built site', () => {
  let site: Awaited<ReturnType<typeof serveSite>>
  let output = ''
  let visits: Record<string, Visit> = {}

  beforeAll(async () => {
    visits = await visitedSite()
    const built = await builtSite()
    output = built.output
    site = await serveSite(built.folder)
    if (inject('pastes')) await pastedBook().catch(() => {}) // the paste tests need it later, and tell what went wrong
  }, BUILD_LIMIT)

  afterAll(async () => {
    await site?.close()
  })

  test('builds without a warning', () => {
    expect(output).not.toMatch(/warn|error|deprecat|\(!\)/i)
  })

  describe.each(pages)('%s', (path) => {
    test('has no error, and asks no other host', () => {
      expect(visits[path]!.problems).toEqual([])
    })

    test.each(Object.keys(looks) as Look[])('is accessible and fits: %s', (look) => {
      const { violations, overflow } = visits[path]!.looks[look]
      expect(violations).toEqual([])
      expect(overflow, 'pixels that the page is wider than the window').toBeLessThanOrEqual(0)
    })

    test(`loads at most ${JAVASCRIPT_LIMIT} bytes of gzipped JavaScript`, () => {
      const { javaScript } = visits[path]!
      expect(javaScript).toBeGreaterThan(10_000) // it is counted at all
      expect(javaScript).toBeLessThanOrEqual(JAVASCRIPT_LIMIT)
    })

    test('takes a link to one of its headings there, past code that is not laid out yet', () => {
      const { heading } = visits[path]!
      expect(heading.top, `pixels from the top, #${heading.id}`).toBeGreaterThanOrEqual(0)
      expect(heading.top, `pixels from the top, #${heading.id}`).toBeLessThan(200)
    })

    test('has links that lead somewhere', async () => {
      const dead: string[] = []
      for (const link of new Set(visits[path]!.links)) {
        const { pathname, hash } = new URL(link, site.origin)
        const page = visits[pathname.replace(/index\.html$/, '')]
        if (page === undefined) {
          const { status } = await fetch(site.origin + pathname) // an archive, a picture
          if (status !== 200) dead.push(`${pathname}: ${status}`)
        } else if (hash !== '' && !page.ids.includes(decodeURIComponent(hash.slice(1)))) {
          dead.push(`${pathname}${hash}: no such anchor`)
        }
      }
      expect(dead).toEqual([])
    })
  })

  test('the figure of the states is worked by keys alone', () => {
    const { figure } = visits['/tcp-ip/protocol.html']!
    const last = edges.length - 1
    const shown = [0, 1, 1, 0, last, last, 0].map((index) => edges[index]!)
    const focused = ['Transition', 'Transition', 'Previous', 'Previous', 'Previous', 'Next', 'Next']
    expect(figure.map(({ focus }) => focus)).toEqual(focused.map((control) => `${control}, solid`))
    expect(figure.map(({ marked }) => marked.toSorted())).toEqual(shown.map(({ from, to }) => [from, to].toSorted()))
    for (const [index, { said }] of figure.entries()) {
      const { from, to, event, calls } = shown[index]!
      for (const part of [`${from} → ${to}`, event, calls]) expect(said).toContain(part)
    }
  })

  test('the figure of the states has all of them without JavaScript', async () => {
    const html = await (await fetch(`${site.origin}/tcp-ip/protocol.html`)).text()
    const missing = edges.filter(({ from, to, calls }) => !html.includes(`${from} → ${to}`) || !html.includes(calls))
    expect(missing).toEqual([])
  })

  test('a link from elsewhere arrives at its heading, and stays there when the code above has been laid out', async () => {
    const browser = await launchBrowser()
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(`${site.origin}/servers/multiplexing.html#exercises`)
    await page.waitForFunction(`(() => {
      const code = [...document.querySelectorAll('.vp-doc pre.shiki code')]
      return code.length > 0 && code.every(({ style }) => style.contentVisibility === 'visible')
    })()`)
    const top = await page.locator('#exercises').evaluate((heading) => heading.getBoundingClientRect().top)
    expect(top).toBeGreaterThanOrEqual(0)
    expect(top).toBeLessThan(200) // pixels: the bar above, and the heading's own margin
    await browser.close()
  })

  test('an unknown address is not found', async () => {
    expect((await fetch(`${site.origin}/no-such-page.html`)).status).toBe(404)
  })

  test('search finds each page by its title', async () => {
    const browser = await launchBrowser()
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(`${site.origin}/`)
    await page.locator('.VPNavBarSearch button').first().click()
    for (const path of pages.filter((each) => each !== '/')) {
      const words = visits[path]!.title.replace(/^[\d.]+ /, '')
      await page.locator('#localsearch-input').fill(words)
      await page
        .locator(`.VPLocalSearchBox a[href*="${path.replace(/\.html$/, '')}"]`)
        .first()
        .waitFor({ timeout: 10_000 })
    }
    await browser.close()
  })
})
