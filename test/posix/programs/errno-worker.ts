// A worker whose call fails with one errno, over and over; it counts how often it saw another one. Both workers start
// when both are ready.

import { parentPort, workerData } from 'node:worker_threads'
import { AF_INET, SOCK_STREAM, close, socket, tryRecv } from '#posix'

const { gate, which } = workerData as { gate: SharedArrayBuffer; which: 'EBADF' | 'ENOTCONN' }
const CALLS = 300_000
const ready = new Int32Array(gate)

const fd = which === 'EBADF' ? -1 : socket(AF_INET, SOCK_STREAM, 0)
const buf = Buffer.alloc(1)
const expected = tryRecv(fd, buf, 1, 0)

if (Atomics.add(ready, 0, 1) === 0) Atomics.wait(ready, 0, 1)
else Atomics.notify(ready, 0)

let wrong = 0
for (let i = 0; i < CALLS; i++) if (tryRecv(fd, buf, 1, 0) !== expected) wrong++
if (fd >= 0) close(fd)
parentPort!.postMessage({ expected, wrong })
