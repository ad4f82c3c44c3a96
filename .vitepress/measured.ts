// What a test has measured, as a page shows it: `<<< wait-cost.json{table}` is a table and `<<< wait-cost.json{chart}` a chart with
// the same numbers below it. Both are HTML by the time the site is built, so that a reader's browser loads nothing for them.

import { readFileSync } from 'node:fs'
import { axisX, dot, gridX, lineY, plot } from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { MarkdownRenderer } from 'vitepress'
import type { Measured } from '../test/support/tables.ts'

type Row = Record<string, string | number>

/** Series are told apart by colour and by the shape of their points. */
const SHAPES = [
  { symbol: 'circle', mark: '●' },
  { symbol: 'triangle', mark: '▲' },
  { symbol: 'square', mark: '■' },
  { symbol: 'diamond', mark: '◆' },
] as const

/** The widths, in CSS pixels, of a column of text on a large screen and on a phone; the style sheet shows one of the two. */
const WIDTHS = { wide: 560, narrow: 302 }

/** Takes over the fences named `chart` and `table`. */
export function showMeasured(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence!
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]!
    const kind = /^(chart|table)(?= |$)/.exec(token.info)?.[1]
    const file = (token.meta as { src?: string } | null)?.src
    if (kind === undefined || file === undefined) return fence(tokens, index, options, env, self)
    const { includes } = (env ?? {}) as { includes?: string[] }
    includes?.push(file) // the dev server watches it
    const measured = JSON.parse(readFileSync(file, 'utf8')) as Measured
    return kind === 'chart' ? chartOf(measured, file) : tableOf(measured)
  }
}

function tableOf({ columns, rows }: Pick<Measured, 'columns' | 'rows'>): string {
  const numeric = columns.map((_, i) => rows.every((row) => typeof row[i] === 'number' || row[i] === ''))
  const cells = (tag: string, row: readonly (string | number)[]): string =>
    row.map((cell, i) => `<${tag}${numeric[i] ? ' class="number"' : ''}>${show(cell)}</${tag}>`).join('')
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<table v-pre tabindex="0"><thead><tr>${cells('th', columns)}</tr></thead><tbody>\n${body}\n</tbody></table>\n`
}

function chartOf(measured: Measured, file: string): string {
  const { title, columns, chart } = measured
  if (chart === undefined) throw new Error(`${file} does not say what to draw: it has no "chart"`)
  const rows = measured.rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])) as Row)
  const series = [...new Set(rows.map((row) => String(row[chart.series])))]
  if (series.length > SHAPES.length)
    throw new Error(`${file} has ${series.length} series, a chart shows ${SHAPES.length}`)
  const pictures = Object.entries(WIDTHS).map(
    ([name, width]) => `<div class="${name}">${draw(rows, series, chart, width)}</div>`,
  )
  const legend = series.map(
    (name, i) => `<li><span aria-hidden="true" class="series-${i + 1}">${SHAPES[i]!.mark}</span> ${show(name)}</li>`,
  )
  return [
    '<figure v-pre class="figure chart">',
    `<figcaption>${show(title)}</figcaption>`,
    `<ul class="series">${legend.join('')}</ul>`,
    `<div role="img" aria-label="${show(title)}. The numbers are in the table below.">${pictures.join('')}</div>`,
    '<details><summary>The numbers</summary>',
    tableOf(pivot(rows, series, chart)).replace(' v-pre', ''),
    '</details>',
    '</figure>',
    '',
  ].join('\n')
}

/** One row for each x and one column for each series. */
function pivot(rows: Row[], series: string[], { x, y, series: by }: NonNullable<Measured['chart']>) {
  const xs = [...new Set(rows.map((row) => row[x]!))]
  const cell = (at: string | number, name: string): string | number =>
    rows.find((row) => row[x] === at && String(row[by]) === name)?.[y] ?? ''
  return {
    columns: [x, ...series.map((name) => `${name}, ${y}`)],
    rows: xs.map((at) => [at].concat(series.map((name) => cell(at, name)))),
  }
}

function draw(rows: Row[], series: string[], chart: NonNullable<Measured['chart']>, width: number): string {
  const { document } = parseHTML('<html></html>')
  const { x, y, series: by, log = [] } = chart
  const scale = (column: string): object => ({
    label: column,
    type: log.includes(column) ? 'log' : 'linear',
    tickFormat: (value: number) => value.toLocaleString('en'),
  })
  const xs = [...new Set(rows.map((row) => row[x] as number))]
  const picture = plot({
    document: document as unknown as Document,
    className: 'plot', // a name of its own for each drawing would differ from build to build
    width,
    height: Math.round(width * 0.4) + 130,
    marginLeft: 56,
    marginRight: 24,
    marginBottom: 40,
    x: scale(x),
    y: { ...scale(y), grid: true, ticks: 5, nice: true, zero: !log.includes(y) },
    marks: [
      gridX(xs),
      axisX(xs, { text: (value: number) => value.toLocaleString('en') }),
      ...series.flatMap((name, i) => {
        const own = rows.filter((row) => String(row[by]) === name)
        const colour = `var(--series-${i + 1})`
        return [
          lineY(own, { x, y, stroke: colour, strokeWidth: 2 }),
          dot(own, { x, y, fill: colour, symbol: SHAPES[i]!.symbol, r: 4 }),
        ]
      }),
    ],
  })
  picture.setAttribute('aria-hidden', 'true') // the figure names it
  return picture.outerHTML.replaceAll(/<style>[^]*?<\/style>/g, '')
}

/** What was measured is shown to three digits; a whole number below this was counted, and is shown as it is. */
const COUNTED = 100_000

function show(cell: string | number): string {
  const counted = Number.isInteger(cell) && Math.abs(Number(cell)) < COUNTED
  const text =
    typeof cell === 'number' ? cell.toLocaleString('en', counted ? {} : { maximumSignificantDigits: 3 }) : cell
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
