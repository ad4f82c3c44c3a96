// The machines that posix/ knows. This file comes before everything else, so that another machine
// gets one clear line.

// #region machine
if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) {
  console.error(
    `posix/ knows the structures and constants of Linux on x64 and arm64; ` +
      `this is ${process.platform} on ${process.arch}. Programs that import '#posix' run on ` +
      `Linux (a container or a virtual machine will do); those on node: modules run here too.`,
  )
  process.exit(1)
}
// #endregion machine
