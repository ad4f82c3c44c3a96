// Pictures of what a program printed: `<<< NAME.out{model} [title]`, `<<< NAME.out{ladder} [title]`. The steps are read from the
// recording when the site is built, so that the picture and the recording cannot differ.

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { readLadder } from './ladders.ts'
import { readModel } from './models.ts'
import type { Lane, Step } from './theme/sequence.ts'

/** Reads a recording; throws for a line that is none of its language. */
type Reader = (text: string, file: string) => { lanes: Lane[]; steps: Step[] }

const readers: Record<string, Reader> = { model: readModel, ladder: readLadder }

/** Takes over the fences that are named like a picture. */
export function showPictures(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence!
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]!
    const [, kind, title] = /^(\w+)(?: \[(.+)\])?$/.exec(token.info) ?? []
    const file = (token.meta as { src?: string } | null)?.src
    if (kind === undefined || !Object.hasOwn(readers, kind) || file === undefined) {
      return fence(tokens, index, options, env, self)
    }
    const name = basename(file)
    if (title === undefined) throw new Error(`${name}: the picture has no title: <<< ${name}{${kind}} [title]`)
    const { includes } = (env ?? {}) as { includes?: string[] }
    includes?.push(file) // the dev server watches it
    const { lanes, steps } = readers[kind]!(readFileSync(file, 'utf8'), name)
    return `<Sequence title="${escape(title)}" :lanes="${json(lanes)}" :steps="${json(steps)}" />\n`
  }
}

function json(value: unknown): string {
  return escape(JSON.stringify(value))
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
