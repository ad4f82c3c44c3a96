// The style sheet leaves code below the window without a layout, so that a long page is there at once. When the browser has
// nothing else to do, the rest is laid out too, block by block: for a print, a picture of the whole page, a search in it.

import { onContentUpdated } from 'vitepress'

const ENOUGH = 5 // milliseconds that have to be left of an idle period

/** To be called in the setup of a component. Safari has no idle periods; there code is laid out as one scrolls. */
export function layOutCodeWhenIdle(): void {
  onContentUpdated(() => {
    if (!('requestIdleCallback' in window)) return
    const blocks = [...document.querySelectorAll<HTMLElement>('.vp-doc pre.shiki code')]
    const next = (deadline: IdleDeadline): void => {
      while (blocks.length > 0 && deadline.timeRemaining() > ENOUGH) {
        const block = blocks.shift()!
        block.style.contentVisibility = 'visible'
        void block.offsetHeight // the layout happens here, so that its time is counted
      }
      if (blocks.length > 0) requestIdleCallback(next)
    }
    requestIdleCallback(next)
  })
}
