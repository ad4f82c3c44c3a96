// Promises and a poller in one thread: what runs between two waits, and who never has a turn.

import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  AF_UNIX,
  POLLIN,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  close,
  pollPoller,
  send,
  socketpair,
} from '#posix'

const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
send(peerFd, Buffer.from('x'), 1, 0) // there from the beginning, and never received

// #region loop
/** Waits for descriptors again and again, in turns that `schedule` starts. */
function loop(schedule: (turn: () => void) => unknown) {
  const poller = pollPoller()
  const state = { waits: 0, over: false }
  let wake: (() => void) | undefined

  function turn(): void {
    if (state.over) return poller.close()
    state.waits++
    poller.wait(0, () => {
      poller.watch(fd, 0)
      wake!()
    })
    schedule(turn)
  }
  schedule(turn)

  function readable(): Promise<void> {
    return new Promise((resolve) => {
      poller.watch(fd, POLLIN)
      wake = resolve
    })
  }
  return { state, readable }
}
// #endregion loop

// #region between
/** Is resumed, and has a way to go until it has its result. */
async function task(readable: () => Promise<void>): Promise<string> {
  const receive = async (): Promise<string> => {
    await readable()
    return 'line'
  }
  const upperCase = async (): Promise<string> => (await receive()).toUpperCase()
  return await upperCase()
}

for (const schedule of [setImmediate, queueMicrotask]) {
  const { state, readable } = loop(schedule)
  await task(readable)
  console.log(`${schedule.name}: resumed in wait 1, done before wait ${state.waits + 1}`)

  let rang = false
  const timer = setTimeout(() => (rang = true), 0)
  for (const due = performance.now() + 2; performance.now() < due;);
  const turn = (): Promise<void> => new Promise((resolve) => schedule(resolve))
  for (const from = state.waits; state.waits < from + 1000;) await turn()
  console.log(`  1000 waits later a timer of Node that was due has rung: ${rang}`)
  clearTimeout(timer)
  state.over = true
  await nextTurn()
}
// #endregion between

// #region starved
const there = Promise.resolve()

/** Has plenty to do, all of it there already, and gives way each so many steps. */
async function busy(steps: number, giveWay: number, stop: () => boolean): Promise<number> {
  let step = 0
  while (step < steps && !stop()) {
    await there
    if (++step % giveWay === 0) await nextTurn()
  }
  return step
}

for (const giveWay of [Infinity, 64]) {
  const { state, readable } = loop(setImmediate)
  let served = false
  const other = readable().then(() => (served = true))
  const steps = await busy(100_000, giveWay, () => served)
  console.log(`gives way each ${giveWay}: the other one waits for ${steps} of 100000 steps`)
  await other
  state.over = true
  await nextTurn()
}
// #endregion starved

close(fd)
close(peerFd)
