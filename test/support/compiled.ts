// What Node keeps of the programs that it has compiled.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Where a run keeps it. */
export function compileCache(runFolder: string): string {
  return join(runFolder, 'compile-cache')
}

/** Has all programs under some folders compiled, before the first of them starts: see compile-all.ts. */
export function compileAll(folders: string[], runFolder: string): void {
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache(runFolder) }
  execFileSync(process.execPath, [join(import.meta.dirname, 'compile-all.ts'), ...folders], { env, stdio: 'pipe' })
}
