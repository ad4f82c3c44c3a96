// The site, built once for a run of the tests, and served.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type PreviewServer, preview } from 'vite'
import { onceInRun } from '../support/once.ts'
import { root } from '../support/recordings.ts'

/** The limit for a build of the whole site, in milliseconds. */
export const BUILD_LIMIT = 300_000

/** Builds the site, or waits for the test file that is building it. Returns its folder and what the build printed. */
export async function builtSite(): Promise<{ folder: string; output: string }> {
  return await onceInRun('site', BUILD_LIMIT, async () => {
    const folder = join(inject('runFolder'), 'dist')
    return { folder, output: await build(folder) }
  })
}

function build(folder: string): Promise<string> {
  const vitepress = join(root, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
  const { NODE_ENV: _, VITEST: __, NODE_COMPILE_CACHE: ___, ...env } = process.env // a build is a production build
  const options = { cwd: root, env: { ...env, NO_COLOR: '1' } }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [vitepress, 'build', '--outDir', folder], options, (error, stdout, stderr) => {
      const output = stdout + stderr
      if (error === null) resolve(output)
      else reject(new Error(`the site does not build:\n${output}`))
    })
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
