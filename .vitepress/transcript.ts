// What a run printed, coloured by shiki: a TextMate grammar for the .out files, and the theme of the book with its colours.
//
//     server   $ node reversing-server.ts 0
//     server   │ listening on 127.0.0.1:PORT
//     client 1 ─ connect
//     client 1 ▶ hello\n
//     client 1 ◀ olleh
//     server   ! bind EADDRINUSE: address already in use 127.0.0.1:PORT
//
// A lane's name, one blank, a mark, one blank, a text. What a single program printed has no lanes: `$ command`, `! standard error`, and
// its standard output as it is. test/support/transcript.ts writes these files.

import type { LanguageRegistration, ThemeRegistrationRaw } from 'shiki'
import dark from 'shiki/themes/github-dark-high-contrast.mjs'
import light from 'shiki/themes/github-light-high-contrast.mjs'

const marks = {
  '\\$': { name: 'command', text: 'text.command' },
  '│': { name: 'stdout', text: 'text.stdout' },
  '!': { name: 'stderr', text: 'text.stderr' },
  '▶': { name: 'sent', text: 'text.bytes' },
  '◀': { name: 'received', text: 'text.bytes' },
  '─': { name: 'event', text: 'text.event' },
}

/** The lanes by their names, each with the scope that gives it its colour. */
const lanes = {
  server: 'server',
  'client(?: 1)?': 'client-1',
  'client 2': 'client-2',
  'client 3': 'client-3',
  '[a-z][a-z0-9. -]*?': 'other',
}

const inside = [{ include: '#quiet' }, { include: '#escape' }]

export const transcript: LanguageRegistration = {
  name: 'transcript',
  displayName: 'Transcript',
  scopeName: 'source.transcript',
  patterns: [
    ...Object.entries(lanes).flatMap(([lane, laneName]) =>
      Object.entries(marks).map(([mark, { name, text }]) => ({
        match: `^(${lane})\\s+(${mark})(?: (.*))?$`,
        captures: {
          1: { name: `lane.${laneName}.transcript` },
          2: { name: `mark.${name}.transcript` },
          3: { name: `${text}.transcript`, patterns: inside },
        },
      })),
    ),
    {
      match: '^(\\$) (.*)$',
      captures: { 1: { name: 'mark.command.transcript' }, 2: { name: 'text.command.transcript' } },
    },
    { match: '^! .*$', name: 'text.stderr.transcript' },
  ],
  repository: {
    escape: { match: '\\\\(?:[nrt0\\\\]|x[0-9A-Fa-f]{2})', name: 'escape.transcript' },
    quiet: { match: '⋯.*', name: 'quiet.transcript' },
  },
}

interface Rule {
  scope?: string | string[] | undefined
  settings: { foreground?: string; fontStyle?: string }
}

const rulesOf = (theme: ThemeRegistrationRaw) => (theme.tokenColors ?? theme.settings) as Rule[]

/** Two colours as one of CSS, which follows the look of the page. */
const inBoth = (inLight: string, inDark: string): string => `light-dark(${inLight}, ${inDark})`

const rule = (scope: Rule['scope'], inLight: string, inDark: string, fontStyle = ''): Rule => ({
  scope,
  settings: { foreground: inBoth(inLight, inDark), fontStyle },
})

const ink = ['#1d2126', '#e6e8eb'] as const
const quiet = ['#5b626c', '#a0a7b1'] as const

/** The colour of what no rule colours, which is --vp-code-block-color in style.css. */
export const textColour = inBoth(...ink)

/** The rules that two bundled themes share, with the colours of both: one theme, so that code is read once, not once for each look. */
function bothLooks(inLight: ThemeRegistrationRaw, inDark: ThemeRegistrationRaw): Rule[] {
  return rulesOf(inLight).map(({ scope, settings }, i) => {
    const other = rulesOf(inDark)[i]!
    if (String(scope) !== String(other.scope))
      throw new Error(`the themes differ: ${String(scope)}, ${String(other.scope)}`)
    const { foreground, fontStyle } = settings
    if (foreground === undefined) return { scope, settings }
    if (foreground === inLight.colors?.['editor.foreground']) return rule(scope, ...ink, fontStyle)
    return rule(scope, foreground, other.settings.foreground!, fontStyle)
  })
}

/** The theme of all code: bundled themes with our colours on top. Each is legible (4.5:1 and more) on the background of a block. */
export const theme = {
  name: 'live-sockets',
  settings: [
    rule(undefined, ...ink),
    ...bothLooks(light as ThemeRegistrationRaw, dark as ThemeRegistrationRaw),
    rule(['comment', 'punctuation.definition.comment'], '#57606a', '#aab2bc'),
    rule('lane.server.transcript', '#0b5568', '#6fcfe3', 'bold'),
    rule('lane.client-1.transcript', '#8c3a00', '#f4b37c', 'bold'),
    rule('lane.client-2.transcript', '#6a2c9e', '#cbabff', 'bold'),
    rule('lane.client-3.transcript', '#1f6130', '#8edc9c', 'bold'),
    rule('lane.other.transcript', '#454b54', '#c6ccd4', 'bold'),
    rule(['mark.stdout.transcript', 'mark.event.transcript', 'mark.command.transcript', 'quiet.transcript'], ...quiet),
    rule('text.command.transcript', ...ink, 'bold'),
    rule(['mark.stderr.transcript', 'text.stderr.transcript'], '#a40e26', '#ff9a93'),
    rule('mark.sent.transcript', '#1f4fbf', '#8fb8ff'),
    rule('mark.received.transcript', '#9a1f70', '#f3a1d4'),
    rule(['text.stdout.transcript', 'text.bytes.transcript'], ...ink),
    rule('text.event.transcript', ...quiet),
    rule('escape.transcript', '#7a4b00', '#e3c27a'),
  ],
} as ThemeRegistrationRaw
