// Headless Chromium for the tests of the site: the system's own, for nothing else may be downloaded.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** The path of a Chromium on this machine: $CHROMIUM, or the first one found in $PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [process.env['CHROMIUM'], ...names.flatMap((name) => folders.map((folder) => join(folder, name)))]
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path))
}

/** Why the tests of the site cannot run here, or undefined. With CI set a missing browser is a failure, not a reason. */
export function noBrowser(): string | undefined {
  if (findChromium() !== undefined || process.env['CI'] !== undefined) return undefined
  return 'no Chromium in $PATH: install it (Debian: apt install chromium fonts-noto-cjk), or set $CHROMIUM to its path'
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium in $PATH: .ci/run installs it')
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', // which needs user namespaces, or not to be root
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}
