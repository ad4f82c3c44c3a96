// Work that several test files of one run need, done by the first that asks: the others wait for its result.

import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { within } from './within.ts'

interface Outcome<T> {
  value?: T
  error?: string
}

/**
 * Does `work` once in a run and gives its result, which has to be JSON, to everyone who asks for it by the same name.
 * @param limit how long the others wait, in milliseconds
 */
export async function onceInRun<T>(name: string, limit: number, work: () => Promise<T>): Promise<T> {
  const folder = inject('runFolder')
  const file = join(folder, `${name}.json`)
  if (isFirst(join(folder, `${name}.started`))) {
    const outcome: Outcome<T> = await work().then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.message }),
    )
    writeFileSync(`${file}.new`, JSON.stringify(outcome))
    renameSync(`${file}.new`, file) // complete as soon as it is there
  } else {
    await within(appears(folder, file), `another test file to finish: ${name}`, limit)
  }
  const { value, error } = JSON.parse(readFileSync(file, 'utf8')) as Outcome<T>
  if (error !== undefined) throw new Error(`${name}: ${error}`)
  return value!
}

/** mkdir succeeds for one caller only. */
function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch {
    return false
  }
}

async function appears(folder: string, file: string): Promise<void> {
  const watcher = watch(folder)
  try {
    while (!existsSync(file)) await once(watcher, 'change')
  } finally {
    watcher.close()
  }
}
