// Ends with status 0 where the kernel lets us have an io_uring, and says why not where it does not.

import { io_uring_queue_exit, io_uring_queue_init } from '#posix'

try {
  io_uring_queue_exit(io_uring_queue_init(1))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
