// The figure of page 1.1: what it draws, and what states.ts printed of each transition.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineLoader } from 'vitepress'
import { causes, edges, paths, states } from './state-machine.ts'

const near = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const printed = near('../../snippets/tcp-ip/protocol/states.out')

export interface Machine {
  states: typeof states
  paths: typeof paths
  edges: {
    ends: string[]
    path: keyof typeof paths
    line: string
    x: number
    y: number
    /** In the label and below: what happens, and what is sent. */
    event: string
    sent: string
    calls: string
    seen: [term: string, text: string]
  }[]
}

declare const data: Machine
export { data }

export default defineLoader({
  watch: [printed, near('state-machine.ts')],
  load(): Machine {
    const text = readFileSync(printed, 'utf8')
    return {
      states,
      paths,
      edges: edges.map(({ from, to, path, line, x, y, event, sent, calls, unseen }) => ({
        ends: [from, to],
        path,
        line,
        x,
        y,
        event,
        sent,
        calls,
        seen: unseen ? ['Not in states.ts', unseen] : ['states.ts printed', causes(text, from, to).join('; ')],
      })),
    }
  },
})
