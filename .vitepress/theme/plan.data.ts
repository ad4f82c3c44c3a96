// The plan of the book for the front page: a page to come has no link.

import { defineLoader } from 'vitepress'
import { chapters, fileOf, isWritten, linkOf, pages } from '../book.ts'

export interface PlanChapter {
  title: string
  pages: { number: string; name: string; about: string; link: string }[]
}

declare const data: PlanChapter[]
export { data }

export default defineLoader({
  watch: pages.map(fileOf),
  load(): PlanChapter[] {
    return chapters.map((chapter) => ({
      title: chapter.title,
      pages: chapter.pages.map((page) => ({
        number: page.number,
        name: page.number === '' ? page.title : page.title.slice(page.number.length + 1),
        about: page.about,
        link: isWritten(page) ? linkOf(page) : '',
      })),
    }))
  },
})
