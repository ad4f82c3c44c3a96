// Stops with a clear line when the Node that runs the scripts is too old to read TypeScript by itself.
// The lock file brings Node 26 for Linux (x64, arm64) and macOS (arm64); elsewhere the machine's own Node is used.
'use strict'
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `This is Node ${process.version}. The project brings Node 26 with it, but the package for ` +
      `${process.platform}-${process.arch} is not installed: run "npm ci" (with optional dependencies), or use Node 22.18 or later.`,
  )
  process.exit(1)
}
