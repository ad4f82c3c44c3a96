// Compiles all programs under some folders and runs none, so that Node keeps what it has compiled of them: the last import names what is not
// there, and that comes out when all of them are loaded and about to be linked. A server, which a signal ends, would keep nothing.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const NO_SUCH_EXPORT = 'noSuchExport'

const folders = process.argv.slice(2)
const filesIn = (cwd: string): string[] =>
  globSync('**/*.ts', { cwd, exclude: ['**/node_modules'] }).map((file) => join(cwd, file))
const imports = [
  ...folders.flatMap(filesIn).map((file) => `import '${pathToFileURL(file)}'`),
  `import { ${NO_SUCH_EXPORT} } from '${import.meta.url}'`,
]
const all = `data:text/javascript,${encodeURIComponent(imports.join('\n'))}`
await import(all).then(
  () => {
    throw new Error('they have run')
  },
  (error: unknown) => {
    if (!(error instanceof SyntaxError && error.message.includes(NO_SUCH_EXPORT))) throw error
  },
)
