// The rules, held against the book.

import { expect, test } from 'vitest'
import { root } from '../support/recordings.ts'
import { readBook, readFiles } from './book.ts'
import { rules } from './rules.ts'

const book = readBook(readFiles(root))

test('there is a book', () => {
  expect(book.pages.length).toBeGreaterThan(0)
})

test.each(Object.values(rules).map(({ name, check }) => [name, check] as const))('%s', (_name, check) => {
  const problems = check(book).map(({ at, message }) => `${at}: ${message}`)
  if (problems.length > 0) expect.fail(`\n${problems.join('\n')}`)
})
