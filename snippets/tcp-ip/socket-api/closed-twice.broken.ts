// Wrong on purpose: closes a descriptor twice. By then the number
// belongs to somebody else.

import { AF_INET, SOCK_DGRAM, bind, close, sendto, sockaddr_in, socket } from '#posix'

// #region twice
const oldFd = socket(AF_INET, SOCK_DGRAM, 0)
close(oldFd)
// The lowest number that is free: the one just given back.
const newFd = socket(AF_INET, SOCK_DGRAM, 0)
console.log(`the new socket has the old number: ${newFd === oldFd}`)
close(oldFd) // no error: it closes the new socket
console.log('the second close did not fail')
// #endregion twice

try {
  bind(newFd, sockaddr_in('127.0.0.1', 0))
  sendto(newFd, Buffer.from('hello'), 5, 0, sockaddr_in('127.0.0.1', 9))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
