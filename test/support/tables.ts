// Tables that a test has measured and a page shows.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { programsOf } from './recordings.ts'

/** A measured table, as it stands in a .json file beside the programs. */
export interface Measured {
  title: string
  columns: string[]
  rows: (string | number)[][]
  /** What a chart of it shows, each by the name of its column: x and y hold numbers, and each value of `series` is a line. */
  chart?: {
    x: string
    y: string
    series: string
    /** The axes with a logarithmic scale. */
    log?: string[]
  }
}

export interface Comparison {
  /** The columns whose numbers differ from machine to machine; all others have to be equal. */
  varies: readonly string[]
  /** What holds on every machine. It is asked of what was measured now and of what the page shows. */
  holds: (rows: Record<string, string | number>[]) => void
}

/**
 * Compares a table with the recorded one, a file such as `wait-cost.json` beside the programs of the page. Where there is none, `npm test -- -u` writes it:
 * to measure anew, remove the file first.
 */
export async function recordedTable(
  slug: string,
  file: `${string}.json`,
  measured: Measured,
  { varies, holds }: Comparison,
): Promise<void> {
  const path = join(programsOf(slug), file)
  holds(byName(measured))
  const recorded = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Measured) : undefined
  if (recorded !== undefined) holds(byName(recorded))
  const same =
    recorded !== undefined && JSON.stringify(fixed(recorded, varies)) === JSON.stringify(fixed(measured, varies))
  await expect(text(same ? recorded : measured)).toMatchFileSnapshot(path)
}

function byName({ columns, rows }: Measured): Record<string, string | number>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])))
}

function fixed({ rows, ...rest }: Measured, varies: readonly string[]) {
  return { ...rest, rows: rows.map((row) => row.map((cell, i) => (varies.includes(rest.columns[i]!) ? '' : cell))) }
}

/** JSON with a row a line, so that a change reads well. */
function text({ rows, ...rest }: Measured): string {
  const head = JSON.stringify(rest, null, 2).replace(/\n\}$/, '')
  return `${head},\n  "rows": [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]\n}\n`
}
