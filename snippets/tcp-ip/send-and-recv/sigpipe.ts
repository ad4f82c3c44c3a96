// Whom SIGPIPE ends: `cat` writes to a connection that the other side has closed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { AF_UNIX, SOCK_STREAM, close, socketpair, systemError, trySend } from '#posix'

// #region node
const [ownFd, closedFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
close(closedFd)
const sent = trySend(ownFd, Buffer.from('hello'), 5, 0)
console.log(`this program: send ${systemError('send', sent).code}`)
close(ownFd)
// #endregion node

// #region cat
const [outputFd, readerFd] = socketpair(AF_UNIX, SOCK_STREAM, 0)
close(readerFd)
const cat = spawn('cat', { stdio: ['pipe', outputFd, 'inherit'] })
close(outputFd)
cat.stdin!.end('hello\n')
const [status, signal] = await once(cat, 'exit')
console.log(`cat: status ${status}, signal ${signal}`)
// #endregion cat
