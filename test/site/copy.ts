// What the copy buttons of a page put on the clipboard.

import type { BrowserContext, Page } from 'playwright-core'

/** Texts by the path that stands on their tab. */
export type Files = Record<string, string>

/** A page may read the clipboard only if it is allowed to. */
export async function allowClipboard(context: BrowserContext, origin: string): Promise<void> {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
}

let lastCopy: Promise<unknown> = Promise.resolve()

/** Clicks the copy button of each file in the code groups of a page, and reads the clipboard. */
export async function copyFrom(page: Page): Promise<Files> {
  const copy = lastCopy.then(() => page.evaluate<Files>(copyAll)) // a browser has one clipboard for all its windows
  lastCopy = copy.catch(() => {})
  return await copy
}

/** In the page, since a question from outside for each click takes longer than all that is done here. */
const copyAll = `(async () => {
  const files = {}
  for (const group of document.querySelectorAll('.vp-code-group')) {
    const blocks = group.querySelectorAll('.blocks > div[class*="language-"]')
    for (const [i, label] of [...group.querySelectorAll('.tabs label')].entries()) {
      if (!/\\.(?:ts|json)$/.test(label.textContent)) continue
      const button = blocks[i].querySelector('button.copy')
      await navigator.clipboard.writeText('')
      const copied = new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (!button.classList.contains('copied')) return // set when the clipboard has the text
          observer.disconnect()
          resolve()
        })
        observer.observe(button, { attributes: true, attributeFilter: ['class'] })
      })
      button.click()
      await copied
      files[label.textContent] = await navigator.clipboard.readText()
    }
  }
  return files
})()`
