// What a run printed, coloured by shiki: a TextMate grammar for the .out files, and the two themes of the book with its colours.
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

interface Colours {
  server: string
  client1: string
  client2: string
  client3: string
  other: string
  text: string
  quiet: string
  stderr: string
  sent: string
  received: string
  escape: string
  comment: string
}

/** A bundled theme with our colours on top. Every colour is legible (4.5:1 and more) on the background of a code block. */
function theme(base: ThemeRegistrationRaw, name: string, colours: Colours): ThemeRegistrationRaw {
  const rule = (scope: string | string[], foreground: string, fontStyle = ''): object => ({
    scope,
    settings: { foreground, fontStyle },
  })
  return {
    ...base,
    name,
    settings: [
      ...(base.settings ?? base.tokenColors ?? []),
      rule(['comment', 'punctuation.definition.comment'], colours.comment),
      rule('lane.server.transcript', colours.server, 'bold'),
      rule('lane.client-1.transcript', colours.client1, 'bold'),
      rule('lane.client-2.transcript', colours.client2, 'bold'),
      rule('lane.client-3.transcript', colours.client3, 'bold'),
      rule('lane.other.transcript', colours.other, 'bold'),
      rule(
        ['mark.stdout.transcript', 'mark.event.transcript', 'mark.command.transcript', 'quiet.transcript'],
        colours.quiet,
      ),
      rule('text.command.transcript', colours.text, 'bold'),
      rule(['mark.stderr.transcript', 'text.stderr.transcript'], colours.stderr),
      rule('mark.sent.transcript', colours.sent),
      rule('mark.received.transcript', colours.received),
      rule(['text.stdout.transcript', 'text.bytes.transcript'], colours.text),
      rule('text.event.transcript', colours.quiet, 'italic'),
      rule('escape.transcript', colours.escape),
    ],
  } as ThemeRegistrationRaw
}

export const themes = {
  light: theme(light as ThemeRegistrationRaw, 'live-sockets-light', {
    server: '#0b5568',
    client1: '#8c3a00',
    client2: '#6a2c9e',
    client3: '#1f6130',
    other: '#454b54',
    text: '#1d2126',
    quiet: '#5b626c',
    stderr: '#a40e26',
    sent: '#1f4fbf',
    received: '#9a1f70',
    escape: '#7a4b00',
    comment: '#57606a',
  }),
  dark: theme(dark as ThemeRegistrationRaw, 'live-sockets-dark', {
    server: '#6fcfe3',
    client1: '#f4b37c',
    client2: '#cbabff',
    client3: '#8edc9c',
    other: '#c6ccd4',
    text: '#e6e8eb',
    quiet: '#a0a7b1',
    stderr: '#ff9a93',
    sent: '#8fb8ff',
    received: '#f3a1d4',
    escape: '#e3c27a',
    comment: '#aab2bc',
  }),
}
