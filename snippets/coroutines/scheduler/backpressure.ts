// A fast producer and a slow consumer. The channel between them holds two values, so the producer is
// never more than so many ahead.

import { Channel } from './channel.ts'
import { type Coroutine, Scheduler, sleep } from './scheduler.ts'

const channel = new Channel<number>(2)

// #region produce
function* producer(): Coroutine<void> {
  for (let value = 1; value <= 5; value++) {
    yield* channel.send(value) // waits while the channel is full
    console.log(`sent ${value}`)
  }
  channel.close()
}
// #endregion produce

// #region consume
function* consumer(): Coroutine<void> {
  for (;;) {
    const value = yield* channel.receive()
    if (value === undefined) break // closed, and empty
    yield* sleep(10)
    console.log(`           worked on ${value}`)
  }
}
// #endregion consume

const scheduler = new Scheduler()
scheduler.new(producer(), 'producer')
scheduler.new(consumer(), 'consumer')
scheduler.run()
