// An upper bound for what a test waits for, so that a program that never answers fails the test that waits, by name.

export const LIMIT = 10_000

export async function within<T>(promise: Promise<T>, what: string, milliseconds = LIMIT): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
