import { transformerStyleToClass } from '@shikijs/transformers'
import type { Highlighter, ShikiTransformer } from 'shiki'
import { defineConfig, type DefaultTheme, type HeadConfig, type MarkdownRenderer } from 'vitepress'
import { serveArchives, writeArchives } from './archives.ts'
import { archiveOf, chapters, isWritten, linkOf, pages, type Page } from './book.ts'
import { showMeasured } from './measured.ts'
import { showPictures } from './pictures.ts'
import { textColour, theme, transcript } from './transcript.ts'

function sidebarItem(page: Page): DefaultTheme.SidebarItem {
  if (isWritten(page)) return { text: page.title, link: linkOf(page) }
  return { text: `<span class="to-come">${page.title} <span class="tag">to come</span></span>` }
}

/** Replaces %archive% by the name of the page's archive, so that the pages can share the text of .vitepress/parts. */
function namePageArchive(md: MarkdownRenderer): void {
  md.core.ruler.before('normalize', 'live_sockets_archive', (state) => {
    const path = String(state.env?.relativePath ?? '')
    const page = pages.find((one) => path === `${one.slug}.md`)
    if (page !== undefined) state.src = state.src.replaceAll('%archive%', archiveOf(page).replace(/\.zip$/, ''))
  })
}

// A built page has thousands of coloured words. Classes in place of the same colours written out at each word make a long
// page 40 percent shorter. The dev server renders page by page and has no head to put the classes in.
const building = process.argv.includes('build')
const styles = transformerStyleToClass({ classPrefix: 's' })

/** A build colours each block three times: for the page's script, for its HTML and for the search. The first answer serves all. */
function colourOnce(highlighter: Highlighter): void {
  const { codeToHtml } = highlighter
  const known = new Map<string, string>()
  highlighter.codeToHtml = (code, options) => {
    const key = [options.lang, options.meta?.__raw, code].join('\n')
    const html = known.get(key) ?? codeToHtml(code, { ...options, mergeSameStyleTokens: true })
    known.set(key, html)
    return html
  }
}

/** Words in the colour of the text need no element of their own: a page of programs has a third fewer without. */
const plainWords: ShikiTransformer = {
  name: 'plain-words',
  span(word) {
    if (word.properties['style'] === `color:${textColour}`) delete word.properties['style']
  },
  line(line) {
    line.children = line.children.flatMap((word) =>
      word.type === 'element' && Object.keys(word.properties).length === 0 ? word.children : word,
    )
  },
}

/** Tells the style sheet how many lines a block has; its own colours are of the page, not of the theme. */
const countLines: ShikiTransformer = {
  name: 'count-lines',
  pre(node) {
    node.properties['style'] = `--lines:${this.lines.length}`
  },
}

export default defineConfig({
  srcDir: 'docs',
  lang: 'en',
  title: 'Live Sockets',
  description:
    'Socket programming in TypeScript, from system calls up. Every listing runs, and every output was printed by a run.',
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }],
    ['meta', { name: 'theme-color', content: '#fdfdfb', media: '(prefers-color-scheme: light)' }],
    ['meta', { name: 'theme-color', content: '#17191c', media: '(prefers-color-scheme: dark)' }],
  ],
  // Who forbids transitions while the appearance changes has all styles computed anew, also as a page opens.
  appearance: { disableTransition: false },
  lastUpdated: false,
  // A page loads what it shows, not what its links might lead to.
  router: { prefetchLinks: false },

  markdown: {
    theme,
    languages: [transcript],
    ...(building && { shikiSetup: colourOnce }),
    languageLabel: { transcript: 'what it printed', sh: 'shell' },
    snippet: { stripRegionMarkers: 'all' },
    codeTransformers: [plainWords, ...(building ? [styles] : []), countLines],
    config(md) {
      namePageArchive(md)
      showMeasured(md)
      showPictures(md)
    },
  },

  themeConfig: {
    logo: { src: '/favicon.svg', alt: '', width: 24, height: 24 },
    nav: [
      { text: 'Contents', link: '/#the-plan' },
      ...pages
        .filter((page) => ['references', 'errata'].includes(page.slug) && isWritten(page))
        .map((page) => ({ text: page.title, link: linkOf(page) })),
    ],
    sidebar: chapters.map((chapter) => ({ text: chapter.title, items: chapter.pages.map(sidebarItem) })),
    outline: { level: [2, 3], label: 'On this page' },
    // Every word of a query has to match; with the default, OR, a query of three words finds most of the book.
    search: {
      provider: 'local',
      options: {
        detailedView: 'auto',
        miniSearch: {
          searchOptions: { combineWith: 'AND', fuzzy: 0.1, prefix: true, boost: { title: 4, text: 2, titles: 1 } },
        },
      },
    },
    footer: {
      message:
        'Code under the <a href="https://opensource.org/license/mit">MIT licence</a>, text and figures under <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>.',
    },
    docFooter: { prev: 'Previous', next: 'Next' },
  },

  vite: {
    plugins: [serveArchives()],
    // A page's chunk holds its coloured code. A reader loads it when he comes from another page; the first page comes as HTML.
    build: { chunkSizeWarningLimit: 2000 },
  },

  ...(building && { transformHead: (): HeadConfig[] => [['style', {}, `:root .shiki{${styles.getCSS()}}`]] }),
  buildEnd: (site) => writeArchives(site.outDir),
})
