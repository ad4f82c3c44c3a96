// As it starts, VitePress sets the language and the direction of the page, which its HTML has already; and a browser to which an
// attribute is set computes the style of every element again, even if it was the same before. On a phone that takes a tenth of a second.

/** Has `lang` and `dir` of the page do nothing where they are set to what they are. To be called in a browser. */
export function setOnce(): void {
  const page = document.documentElement
  for (const name of ['lang', 'dir'] as const) {
    Object.defineProperty(page, name, {
      get: () => page.getAttribute(name) ?? '',
      set(value: string) {
        if (value !== page.getAttribute(name)) page.setAttribute(name, value)
      },
    })
  }
}
