// The site, built once for a run of the tests, however many files ask for it and in whatever order.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type PreviewServer, preview } from 'vite'
import { root } from '../support/recordings.ts'
import { within } from '../support/within.ts'

interface Result {
  status: number
  output: string
}

/** The limit for a build of the whole site, in milliseconds. */
export const BUILD_LIMIT = 100_000

/** Builds the site, or waits for the test file that is building it. Returns the folder and what the build printed. */
export async function builtSite(): Promise<{ folder: string; output: string }> {
  const run = inject('runFolder')
  const folder = join(run, 'site')
  const resultFile = join(run, 'build.json')
  if (isFirst(join(run, 'building'))) {
    const { status, output } = await build(folder)
    writeFileSync(`${resultFile}.new`, JSON.stringify({ status, output } satisfies Result))
    renameSync(`${resultFile}.new`, resultFile)
  } else {
    await within(appears(run, resultFile), 'the site to be built by another test file', BUILD_LIMIT)
  }
  const { status, output } = JSON.parse(readFileSync(resultFile, 'utf8')) as Result
  if (status !== 0) throw new Error(`the site does not build:\n${output}`)
  return { folder, output }
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

function build(folder: string): Promise<Result> {
  const vitepress = join(root, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
  const { NODE_ENV: _, VITEST: __, ...env } = process.env // a build is a production build
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [vitepress, 'build', '--outDir', folder],
      { cwd: root, env: { ...env, NO_COLOR: '1' } },
      (_error, stdout, stderr) => resolve({ status: child.exitCode ?? 1, output: stdout + stderr }),
    )
  })
}

/** Serves the built site on a free port of 127.0.0.1. */
export async function serveSite(folder: string): Promise<{ origin: string; close(): Promise<void> }> {
  const server: PreviewServer = await preview({
    configFile: false,
    logLevel: 'error',
    root: folder,
    appType: 'mpa', // an unknown path is a 404, not the landing page
    build: { outDir: folder },
    preview: { host: '127.0.0.1', port: 0 },
  })
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('the preview server has no port')
  return { origin: `http://127.0.0.1:${address.port}`, close: () => server.close() }
}
