// Five ways for a thread to end. Which of them run its finally, and what does the main thread hear?
// usage: node ends.ts

import { Worker } from 'node:worker_threads'

// #region ways
const ways = {
  returns: '',
  throws: `throw new Error('a mistake')`,
  'process.exit(3)': 'process.exit(3)',
  'terminate()': 'for (;;);',
  'out of memory': 'for (const list = []; ; ) list.push(new Array(1000))',
}

for (const [way, code] of Object.entries(ways)) {
  const ran = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage('running')
    try { ${code} } finally { workerData[0] = 1 }`,
    { eval: true, workerData: ran, resourceLimits: { maxOldGenerationSizeMb: 8 } },
  )
  // #endregion ways
  const heard: string[] = []
  thread.on('message', () => way === 'terminate()' && void thread.terminate())
  thread.on('error', (error: NodeJS.ErrnoException) =>
    heard.push(`error ${error.code ?? error.message}`),
  )
  const status = await new Promise<number>((resolve) => thread.on('exit', resolve))
  heard.push(`exit ${status}`)
  console.log(`${way.padEnd(15)}  finally: ${ran[0] === 1 ? 'yes' : 'no '}  ${heard.join(', ')}`)
}
console.log('the process goes on')
