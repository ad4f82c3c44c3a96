// The programs of each page as one zip, built with the site and served by the dev server:
//
//     servers-iterative/              a folder named as the archive
//       reversing-server.ts           the page's programs, as the page shows them: without region markers
//       reversing-server.out          what they printed
//       package.json
//       posix/                        the socket API, where a program imports it
//
// The same sources always give the same bytes.

import { globSync, readFileSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { strToU8, zipSync, type Zippable } from 'fflate'
import type { Plugin } from 'vite'
import { archiveOf, isWritten, pages } from './book.ts'

const root = resolve(import.meta.dirname, '..')
const snippets = join(root, 'snippets')

/** The package.json of a reader's folder. The versions are the ones this book is tested with. */
export function readerPackage(usesPosix: boolean): string {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  const { koffi, tsx } = own.devDependencies
  const manifest = usesPosix
    ? { type: 'module', imports: { '#posix': './posix/index.ts' }, dependencies: { koffi, tsx } }
    : { type: 'module' }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** A program as its page shows it. */
export function withoutMarkers(source: string): string {
  return source.replace(/^[ \t]*\/\/[ \t]*#?(?:end)?region\b.*\n?/gm, '')
}

/** The files of an archive, by their path in it; undefined where a page has no programs. */
export function archiveFiles(slug: string): Record<string, string> | undefined {
  const files: Record<string, string> = {}
  const add = (folder: string, into: string): void => {
    for (const path of globSync('**/*', { cwd: folder }).sort()) {
      const file = join(folder, path)
      if (!statSync(file).isFile()) continue
      const text = readFileSync(file, 'utf8')
      files[join(into, path)] = path.endsWith('.ts') ? withoutMarkers(text) : text
    }
  }
  add(join(snippets, slug), '')
  if (Object.keys(files).length === 0) return undefined
  const usesPosix = Object.values(files).some((text) => /from '#posix'/.test(text))
  files['package.json'] = readerPackage(usesPosix)
  if (usesPosix) add(join(snippets, 'posix'), 'posix')
  return files
}

function zip(slug: string, name: string): Uint8Array | undefined {
  const files = archiveFiles(slug)
  if (files === undefined) return undefined
  const folder = basename(name, '.zip')
  const entries: Zippable = {}
  for (const [path, text] of Object.entries(files)) entries[`${folder}/${path}`] = strToU8(text)
  // Zip has no time before 1980, and no time zone: the constructor's local fields are what gets written.
  return zipSync(entries, { level: 9, mtime: new Date(1980, 0, 1) })
}

/** Every archive by name. */
function archives(): Map<string, string> {
  return new Map(pages.filter(isWritten).map((page) => [archiveOf(page), page.slug]))
}

/** Writes the archives of all written pages beside the built site. */
export async function writeArchives(outDir: string): Promise<void> {
  const folder = join(outDir, 'archives')
  await mkdir(folder, { recursive: true })
  for (const [name, slug] of archives()) {
    const bytes = zip(slug, name)
    if (bytes !== undefined) await writeFile(join(folder, name), bytes)
  }
}

/** Serves the archives while writing: built anew at every request. */
export function serveArchives(): Plugin {
  return {
    name: 'live-sockets:archives',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = /^[^?#]*\/archives\/([^/?#]+\.zip)/.exec(request.url ?? '')
        const slug = path?.[1] === undefined ? undefined : archives().get(path[1])
        const bytes = slug === undefined || path?.[1] === undefined ? undefined : zip(slug, path[1])
        if (bytes === undefined) return next()
        response.setHeader('Content-Type', 'application/zip')
        response.end(bytes)
      })
    },
  }
}
