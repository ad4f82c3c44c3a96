import { describe, expect, test } from 'vitest'
import { conformance } from '../support/conformance.ts'
import { takeDescriptors } from '../servers/multiplexing/kernel.ts'
import { FLOOD_LINE, flood, read, reset } from '../support/flood.ts'
import { recordings, testsOf } from '../support/recordings.ts'
import { scenarios } from './scheduler.scenarios.ts'
import { AF_UNIX, type Poller, SOCK_NONBLOCK, SOCK_STREAM, socketpair } from '#posix'
import { Channel } from '../../snippets/coroutines/scheduler/channel.ts'
import {
  Cancelled,
  type Coroutine,
  Scheduler,
  type SchedulerOptions,
  type Scope,
  type Task,
  TimeoutError,
  pause,
  scope,
  sleep,
  timeout,
} from '../../snippets/coroutines/scheduler/scheduler.ts'
import { LineReader, Socket, readline, sendAll } from '../../snippets/coroutines/scheduler/sockets.ts'

const slug = 'coroutines/scheduler'
const onServers = testsOf(slug)

recordings(slug, scenarios)

/** A scheduler without descriptors, in which no time passes but that which it waits for. */
function withoutClock(): { scheduler: Scheduler; now: () => number; waits: number[] } {
  let time = 0
  const waits: number[] = []
  const poller: Poller = {
    watch: () => {},
    wait(timeout) {
      waits.push(timeout)
      time += timeout
      return 0
    },
    close: () => {},
  }
  const now = (): number => time
  const options: SchedulerOptions = { poller, now }
  return { scheduler: new Scheduler(options), now, waits }
}

function* sleeps(ms: number): Coroutine<void> {
  yield* sleep(ms)
}

/** Runs coroutines as tasks, and returns what they have told. */
function told(body: (tell: (what: string) => void, scheduler: Scheduler, now: () => number) => Coroutine<void>[]) {
  const { scheduler, now } = withoutClock()
  const lines: string[] = []
  for (const [i, coroutine] of body((what) => lines.push(what), scheduler, now).entries()) {
    scheduler.new(coroutine, `task ${i}`)
  }
  scheduler.run()
  return lines
}

describe('the order of resumption', () => {
  test('tasks run in the order in which they were added, and take turns', () => {
    const task = (name: string, tell: (what: string) => void) =>
      (function* (): Coroutine<void> {
        for (const turn of [1, 2, 3]) {
          tell(`${name}${turn}`)
          yield* pause()
        }
      })()
    expect(told((tell) => ['a', 'b', 'c'].map((name) => task(name, tell)))).toEqual(
      'a1 b1 c1 a2 b2 c2 a3 b3 c3'.split(' '),
    )
  })

  test('a task that is added meanwhile comes after those that are ready', () => {
    expect(
      told((tell, scheduler) => [
        (function* () {
          scheduler.new(
            (function* (): Coroutine<void> {
              tell('child')
            })(),
          )
          tell('parent')
          yield* pause()
          tell('parent again')
        })(),
        (function* () {
          tell('other')
        })(),
      ]),
    ).toEqual(['parent', 'other', 'child', 'parent again'])
  })

  test('sleepers wake in the order of their times, and those with the same time in the order in which they went to sleep', () => {
    const sleeper = (name: string, ms: number, tell: (what: string) => void, now: () => number) =>
      (function* (): Coroutine<void> {
        yield* sleep(ms)
        tell(`${name} at ${now()}`)
      })()
    expect(
      told((tell, _, now) =>
        (
          [
            ['a', 30],
            ['b', 10],
            ['c', 20],
            ['d', 10],
            ['e', 0],
          ] as const
        ).map(([name, ms]) => sleeper(name, ms, tell, now)),
      ),
    ).toEqual(['e at 0', 'b at 10', 'd at 10', 'c at 20', 'a at 30'])
  })

  test('a join is over when the task has returned, however often and however late it is asked', () => {
    expect(
      told((tell, scheduler) => {
        const child = scheduler.new(
          (function* (): Coroutine<number> {
            yield* sleep(5)
            return 42
          })(),
        )
        return [
          (function* () {
            tell(`first ${yield* child.join()}`)
            tell(`again ${yield* child.join()}`)
          })(),
          (function* () {
            tell(`second ${yield* child.join()}`)
          })(),
        ]
      }),
    ).toEqual(['first 42', 'again 42', 'second 42'])
  })
})

describe('fairness', () => {
  test('a task whose attempts all succeed gives way after so many', () => {
    const lines = told((tell) => {
      const channel = new Channel<number>(1000)
      return [
        (function* () {
          for (let i = 0; i < 1000; i++) yield* channel.send(i)
          tell('1,000 sent')
        })(),
        (function* () {
          tell('the other')
          yield* pause()
        })(),
      ]
    })
    expect(lines).toEqual(['the other', '1,000 sent'])
  })

  test('timers are looked at while tasks are ready all the time', () => {
    let time = 0
    const poller: Poller = {
      watch: () => {},
      wait: () => 0,
      close: () => {},
    }
    const scheduler = new Scheduler({ poller, now: () => time++ })
    let over = false
    let turns = 0
    scheduler.new(
      (function* (): Coroutine<void> {
        yield* sleep(20)
        over = true
      })(),
    )
    scheduler.new(
      (function* (): Coroutine<void> {
        for (; !over && turns < 1000; turns++) yield* pause()
      })(),
    )
    scheduler.run()
    expect(over).toBe(true)
    expect(turns).toBeLessThan(50)
  })
})

describe('errors', () => {
  test('an error is thrown in the task that waits, and can be caught there', () => {
    expect(
      told((tell, scheduler) => {
        const child = (function* (): Coroutine<void> {
          yield* sleep(1)
          throw new Error('no luck')
        })()
        return [
          (function* () {
            try {
              yield* scope(function* (inner) {
                yield* inner.spawn(child).join()
              })
            } catch (error) {
              tell((error as Error).message)
            }
            void scheduler
          })(),
        ]
      }),
    ).toEqual(['no luck'])
  })

  test('a task that fails with nobody to look after it ends the others, and run() throws its error', () => {
    const { scheduler } = withoutClock()
    const lines: string[] = []
    scheduler.new(
      (function* (): Coroutine<void> {
        try {
          yield* sleep(1000)
        } finally {
          lines.push('cleaned up')
        }
      })(),
    )
    scheduler.new(
      (function* (): Coroutine<void> {
        yield* sleep(1)
        throw new Error('no luck')
      })(),
    )
    expect(() => scheduler.run()).toThrow('no luck')
    expect(lines).toEqual(['cleaned up'])
  })

  test('tasks that wait for each other are a deadlock, and run() names them', () => {
    const { scheduler } = withoutClock()
    const channel = new Channel<number>(1)
    const waits = function* (): Coroutine<void> {
      yield* channel.receive()
    }
    scheduler.new(waits(), 'alice')
    scheduler.new(waits(), 'bob')
    expect(() => scheduler.run()).toThrow('deadlock: nothing can wake any of alice, bob')
  })
})

test('a task that is added when one has failed is cancelled like the others', () => {
  const { scheduler, now } = withoutClock()
  scheduler.new(
    (function* (): Coroutine<void> {
      throw new Error('no luck')
    })(),
  )
  scheduler.new(
    (function* (): Coroutine<void> {
      yield* scheduler.new(sleeps(1000)).join()
    })(),
  )
  expect(() => scheduler.run()).toThrow('no luck')
  expect(now()).toBe(0)
})

test('the failure that led to a deadlock is what run() throws', () => {
  const { scheduler } = withoutClock()
  const full = new Channel<string>(1)
  full.trySend('the first')
  scheduler.new(
    (function* (): Coroutine<void> {
      yield* sleep(1)
      throw new Error('disk full')
    })(),
  )
  scheduler.new(
    (function* (): Coroutine<void> {
      try {
        yield* sleep(1000)
      } finally {
        yield* full.send('goodbye')
      }
    })(),
  )
  expect(() => scheduler.run()).toThrow('disk full')
})

/** Two sockets that are connected to each other. */
function connectedSockets(scheduler: Scheduler): [Socket, Socket] {
  const [fd, peerFd] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
  return [new Socket(scheduler, fd), new Socket(scheduler, peerFd)]
}

/** Lets a task take what has come for it, until it waits for more. */
function* untilWaiting(task: Task<unknown>): Coroutine<void> {
  do yield* pause()
  while (task.event === undefined && task.outcome === undefined)
}

test('a line whose beginning has come is read whole, also where a timeout has ended the first wait', () => {
  const scheduler = new Scheduler()
  const [socket, other] = connectedSockets(scheduler)
  const lines: string[] = []
  scheduler.new(
    (function* (): Coroutine<void> {
      const reader = new LineReader(socket)
      yield* sendAll(other, Buffer.from('hel'))
      try {
        yield* timeout(1, reader.readline())
      } catch (error) {
        lines.push((error as Error).message)
      }
      yield* sendAll(other, Buffer.from('lo\nand the rest'))
      lines.push((yield* reader.readline()).toString())
      other.close()
      lines.push((yield* reader.readline()).toString(), (yield* reader.readline()).toString())
      socket.close()
    })(),
  )
  scheduler.run()
  expect(lines).toEqual(['not done in 1 ms', 'hello\n', 'and the rest', ''])
})

test('readline takes no byte after the newline, tells a partial line at the end, and has a bound', () => {
  const scheduler = new Scheduler()
  const [socket, other] = connectedSockets(scheduler)
  const long = `${'x'.repeat(200)}\n`
  const got: string[] = []
  let failure: unknown
  const reader = scheduler.new(
    (function* (): Coroutine<void> {
      got.push(String(yield* readline(socket)), String(yield* socket.recv(4)), String(yield* readline(socket)))
      got.push(String(yield* readline(socket)), String(yield* readline(socket)))
      try {
        yield* readline(socket, 3)
      } catch (error) {
        failure = error
      }
      got.push(String(yield* readline(socket)), String(yield* readline(socket)))
      socket.close()
    })(),
  )
  scheduler.new(
    (function* (): Coroutine<void> {
      for (const part of ['hel', `lo\nrest\n${long}\n`, 'four\nab']) {
        yield* sendAll(other, Buffer.from(part))
        yield* untilWaiting(reader) // within a line
      }
      other.close()
    })(),
  )
  scheduler.run()
  expect(got).toEqual(['hello\n', 'rest', '\n', long, '\n', '\n', 'ab'])
  expect(failure).toEqual(new RangeError('a line of more than 3 bytes'))
})

test('recvInto fills what it is given, tells how much that is, and waits for the rest', () => {
  const scheduler = new Scheduler()
  const [socket, other] = connectedSockets(scheduler)
  const target = Buffer.alloc(4)
  const got: [number, string][] = []
  const reader = scheduler.new(
    (function* (): Coroutine<void> {
      for (let received = -1; received !== 0;) {
        received = yield* socket.recvInto(target)
        got.push([received, target.toString()])
      }
      socket.close()
    })(),
  )
  scheduler.new(
    (function* (): Coroutine<void> {
      yield* sendAll(other, Buffer.from('123456'))
      yield* untilWaiting(reader)
      yield* sendAll(other, Buffer.from('7'))
      other.close()
    })(),
  )
  scheduler.run()
  expect(got).toEqual([
    [4, '1234'],
    [2, '5634'],
    [1, '7634'],
    [0, '7634'],
  ])
})

test('a socket that is closed is not waited for, also when the last recv has emptied it', () => {
  const scheduler = new Scheduler()
  const [socket, other] = connectedSockets(scheduler)
  let failure: unknown
  scheduler.new(
    (function* (): Coroutine<void> {
      yield* sendAll(other, Buffer.from('hello'))
      yield* socket.recv(100)
      socket.close()
      try {
        yield* socket.recv(100)
      } catch (error) {
        failure = error
      }
      other.close()
    })(),
  )
  scheduler.run()
  expect((failure as Error).message).toBe('the socket is closed')
})

test('a socket may be closed when the scheduler has run', () => {
  const scheduler = new Scheduler()
  const [socket, peer] = connectedSockets(scheduler)
  let received = ''
  scheduler.new(
    (function* (): Coroutine<void> {
      received = String(yield* socket.recv(10))
    })(),
  )
  scheduler.new(sendAll(peer, Buffer.from('hello')))
  scheduler.run()
  socket.close()
  peer.close()
  expect(received).toBe('hello')
})

describe('cancellation', () => {
  test('runs each finally from the inside out, and a catch may pass it on', () => {
    expect(
      told((tell, scheduler) => {
        const inner = function* (): Coroutine<void> {
          try {
            yield* sleep(1000)
          } catch (error) {
            tell(`caught ${error instanceof Cancelled}`)
            throw error
          } finally {
            tell('inner finally')
          }
        }
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* inner()
              tell('not reached')
            } finally {
              tell('outer finally')
            }
          })(),
          'victim',
        )
        return [
          (function* () {
            yield* sleep(1)
            victim.cancel()
            tell('cancelled')
            try {
              yield* victim.join()
            } catch (error) {
              tell(`${(error as Error).message}: ${error instanceof Cancelled}`)
            }
          })(),
        ]
      }),
    ).toEqual(['cancelled', 'caught true', 'inner finally', 'outer finally', 'victim was cancelled: true'])
  })

  test('a finally that waits, or a scope, does not let its caller go on', () => {
    expect(
      told((tell, scheduler, now) => {
        const inner = function* (): Coroutine<void> {
          try {
            yield* timeout(2000, sleep(1000)) // a scope, which waits for its own task
          } finally {
            yield* sleep(5)
            tell(`inner finally at ${now()}`)
          }
        }
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* inner()
              tell('not reached')
            } finally {
              yield* sleep(5)
              tell(`outer finally at ${now()}`)
            }
            tell('not reached either')
          })(),
          'victim',
        )
        return [
          (function* () {
            yield* sleep(1)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}`)
          })(),
        ]
      }),
    ).toEqual(['inner finally at 6', 'outer finally at 11', 'ended at 11'])
  })

  test('a task that catches its cancellation and returns was cancelled all the same, and is no failure', () => {
    expect(
      told((tell, scheduler) => {
        const victim = scheduler.new(
          (function* (): Coroutine<string> {
            try {
              yield* sleep(1000)
            } catch {}
            return 'here'
          })(),
          'victim',
        )
        return [
          (function* () {
            yield* sleep(1)
            victim.cancel()
            try {
              tell(yield* victim.join())
            } catch (error) {
              tell((error as Error).message)
            }
          })(),
        ]
      }),
    ).toEqual(['victim was cancelled'])
  })

  test('a finally may wait, and a second cancel does not disturb it', () => {
    expect(
      told((tell, scheduler, now) => {
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* sleep(1000)
            } finally {
              yield* sleep(50)
              tell(`clean at ${now()}`)
            }
          })(),
        )
        return [
          (function* () {
            yield* sleep(10)
            victim.cancel()
            yield* sleep(10)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}`)
          })(),
        ]
      }),
    ).toEqual(['clean at 60', 'ended at 60'])
  })

  test('a finally may give itself a timeout, and have scopes of its own', () => {
    expect(
      told((tell, scheduler, now) => {
        const fails = function* (ms: number): Coroutine<void> {
          yield* sleep(ms)
          throw new Error('no luck')
        }
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* timeout(5000, sleep(1000))
            } finally {
              try {
                yield* timeout(10, sleep(1000))
              } catch (error) {
                tell(`${(error as Error).message}, at ${now()}`)
              }
              try {
                yield* scope(function* (inner) {
                  inner.spawn(fails(5))
                  yield* sleep(1000)
                })
              } catch (error) {
                tell(`${(error as Error).message}, at ${now()}`)
              }
              yield* sleep(5)
              tell(`clean at ${now()}`)
            }
          })(),
          'victim',
        )
        return [
          (function* () {
            yield* sleep(1)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}`)
          })(),
        ]
      }),
    ).toEqual(['not done in 10 ms, at 11', 'no luck, at 16', 'clean at 21', 'ended at 21'])
  })

  test('a cancel does not disturb the finally of a scope that has failed, and comes after it', () => {
    expect(
      told((tell, scheduler, now) => {
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* timeout(
                10,
                (function* (): Coroutine<void> {
                  try {
                    yield* sleep(1000)
                  } finally {
                    yield* sleep(10)
                    tell(`inner finally at ${now()}`)
                  }
                })(),
              )
            } catch (error) {
              tell(`${(error as Error).message}, at ${now()}`)
            }
            try {
              yield* sleep(1000)
            } finally {
              tell(`outer finally at ${now()}`)
            }
          })(),
          'victim',
        )
        return [
          (function* () {
            yield* sleep(15)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}`)
          })(),
        ]
      }),
    ).toEqual(['inner finally at 20', 'not done in 10 ms, at 20', 'outer finally at 20', 'ended at 20'])
  })

  test('a task that is cancelled before its first step runs to its first wait, so that it can release what it was given', () => {
    expect(
      told((tell, scheduler) => {
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              tell('started')
              yield* pause()
              tell('not reached')
            } finally {
              tell('released')
            }
          })(),
        )
        victim.cancel()
        return [
          (function* () {
            yield* victim.ended()
            tell('ended')
          })(),
        ]
      }),
    ).toEqual(['started', 'released', 'ended'])
  })

  test('is delivered once, also where the cleanup of a scope fails', () => {
    const { scheduler } = withoutClock()
    const lines: string[] = []
    const victim = scheduler.new(
      (function* (): Coroutine<void> {
        try {
          yield* scope(function* () {
            try {
              yield* sleep(1000)
            } finally {
              yield* pause()
              // oxlint-disable-next-line no-unsafe-finally -- a cleanup that fails
              throw new Error('EPIPE')
            }
          })
        } finally {
          yield* sleep(5)
          lines.push('goodbye')
        }
      })(),
    )
    scheduler.new(
      (function* (): Coroutine<void> {
        yield* sleep(1)
        victim.cancel()
      })(),
    )
    expect(() => scheduler.run()).toThrow('EPIPE')
    expect(lines).toEqual(['goodbye'])
  })

  test('is delivered once, also where a child fails as it is ended', () => {
    const { scheduler } = withoutClock()
    const lines: string[] = []
    const victim = scheduler.new(
      (function* (): Coroutine<void> {
        try {
          yield* scope(function* (inner) {
            inner.spawn(
              (function* (): Coroutine<void> {
                try {
                  yield* sleep(1000)
                } finally {
                  // oxlint-disable-next-line no-unsafe-finally -- a cleanup that fails
                  throw new Error('EPIPE')
                }
              })(),
            )
            yield* sleep(1000)
          })
        } finally {
          yield* sleep(5)
          lines.push('goodbye')
        }
      })(),
    )
    scheduler.new(
      (function* (): Coroutine<void> {
        yield* sleep(1)
        victim.cancel()
      })(),
    )
    expect(() => scheduler.run()).toThrow('EPIPE')
    expect(lines).toEqual(['goodbye'])
  })

  test('a task that cancels itself ends at its next event', () => {
    expect(
      told((tell, scheduler) => {
        const own: { task?: Task<void> } = {}
        own.task = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              own.task?.cancel()
              tell('still here')
              yield* sleep(1)
              tell('not reached')
            } finally {
              tell('finally')
            }
          })(),
        )
        return []
      }),
    ).toEqual(['still here', 'finally'])
  })

  test('what a cancelled task was about to receive stays in the channel', () => {
    expect(
      told((tell, scheduler) => {
        const channel = new Channel<string>(1)
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            tell(`victim ${yield* channel.receive()}`)
          })(),
        )
        return [
          (function* () {
            yield* channel.send('value')
            victim.cancel() // ready already, with the value to be had
            yield* victim.ended()
            tell(`next ${yield* channel.receive()}`)
          })(),
        ]
      }),
    ).toEqual(['next value'])
  })
})

describe('scopes', () => {
  test('a scope waits for its tasks', () => {
    expect(
      told((tell) => [
        (function* () {
          const result = yield* scope(function* (inner) {
            inner.spawn(
              (function* (): Coroutine<void> {
                yield* sleep(10)
                tell('child')
              })(),
            )
            tell('body')
            return 'result'
          })
          tell(result)
        })(),
      ]),
    ).toEqual(['body', 'child', 'result'])
  })

  test('a child that fails ends its siblings and the body, and the scope throws its error', () => {
    expect(
      told((tell, _, now) => {
        const sibling = function* (name: string): Coroutine<void> {
          try {
            yield* sleep(1000)
          } finally {
            yield* sleep(5)
            tell(`${name} finally`)
          }
        }
        return [
          (function* () {
            try {
              yield* scope(function* (inner) {
                inner.spawn(sibling('one'))
                inner.spawn(sibling('two'))
                inner.spawn(
                  (function* (): Coroutine<void> {
                    yield* sleep(10)
                    throw new Error('no luck')
                  })(),
                )
                try {
                  yield* sleep(1000)
                } catch {
                  tell('the body catches it')
                } finally {
                  tell('body finally')
                }
              })
            } catch (error) {
              tell(`${(error as Error).message} at ${now()}`)
              yield* sleep(1) // and life goes on
              tell('after')
            }
          })(),
        ]
      }),
    ).toEqual(['the body catches it', 'body finally', 'one finally', 'two finally', 'no luck at 15', 'after'])
  })

  test('a body that fails ends the children', () => {
    expect(
      told((tell) => [
        (function* () {
          try {
            yield* scope(function* (inner) {
              inner.spawn(
                (function* (): Coroutine<void> {
                  try {
                    yield* sleep(1000)
                  } finally {
                    tell('child finally')
                  }
                })(),
              )
              yield* pause()
              throw new Error('body')
            })
          } catch (error) {
            tell((error as Error).message)
          }
        })(),
      ]),
    ).toEqual(['child finally', 'body'])
  })

  test('who is cancelled takes its children along', () => {
    expect(
      told((tell, scheduler) => {
        const parent = scheduler.new(
          (function* (): Coroutine<void> {
            yield* scope(function* (inner) {
              inner.spawn(
                (function* (): Coroutine<void> {
                  try {
                    yield* sleep(1000)
                  } finally {
                    yield* sleep(5)
                    tell('child finally')
                  }
                })(),
              )
              yield* sleep(1000)
            })
          })(),
        )
        return [
          (function* () {
            yield* sleep(1)
            parent.cancel()
            yield* parent.ended()
            tell('parent ended')
          })(),
        ]
      }),
    ).toEqual(['child finally', 'parent ended'])
  })

  test('what a cleanup starts is ended too, and nothing can be started in a scope that has ended', () => {
    expect(
      told((tell, _scheduler, now) => [
        (function* (): Coroutine<void> {
          let ended!: Scope
          const work = timeout(
            10,
            scope(function* (inner) {
              ended = inner
              inner.spawn(
                (function* (): Coroutine<void> {
                  try {
                    yield* sleep(1000)
                  } finally {
                    inner.spawn(sleeps(1000), 'too late')
                  }
                })(),
              )
              yield* sleep(1000)
            }),
          )
          try {
            yield* work
          } catch (error) {
            tell(`${(error as Error).message}, at ${now()}`)
          }
          expect(() => ended.spawn(sleeps(1), 'late')).toThrow('late: the scope has ended')
        })(),
      ]),
    ).toEqual(['not done in 10 ms, at 10'])
  })

  test('a scope whose child fails while an inner one cleans up fails after that, and its task can be cancelled as before', () => {
    expect(
      told((tell, scheduler, now) => {
        function* fails(ms: number, why: string): Coroutine<void> {
          yield* sleep(ms)
          throw new Error(why)
        }
        function* inner(): Coroutine<void> {
          try {
            yield* scope(function* (one) {
              one.spawn(fails(1, 'inner'))
              try {
                yield* sleep(1000)
              } finally {
                yield* sleep(5)
              }
            })
          } catch (error) {
            tell(`${(error as Error).message}, at ${now()}`)
          }
          yield* sleep(1000)
        }
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            try {
              yield* scope(function* (one) {
                one.spawn(fails(2, 'outer'))
                yield* inner()
              })
            } catch (error) {
              tell(`${(error as Error).message}, at ${now()}`)
            }
            yield* sleep(1000)
            tell('not reached')
          })(),
        )
        return [
          (function* () {
            yield* sleep(10)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}`)
          })(),
        ]
      }),
    ).toEqual(['inner, at 6', 'outer, at 6', 'ended at 10'])
  })

  test('a cancelled child is no failure', () => {
    expect(
      told((tell) => [
        (function* () {
          yield* scope(function* (inner) {
            const child = inner.spawn(timeout(2000, sleep(1000)))
            yield* pause()
            child.cancel()
          })
          tell('fine')
        })(),
      ]),
    ).toEqual(['fine'])
  })

  test('failures of an outer and an inner scope at once end both', () => {
    expect(
      told((tell, _, now) => {
        const failing = function* (ms: number, message: string): Coroutine<void> {
          yield* sleep(ms)
          throw new Error(message)
        }
        return [
          (function* () {
            try {
              yield* scope(function* (outer) {
                outer.spawn(failing(10, 'outer'))
                try {
                  yield* scope(function* (inner) {
                    inner.spawn(failing(10, 'inner'))
                    yield* sleep(1000)
                  })
                } catch (error) {
                  tell(`caught ${(error as Error).message}`)
                  yield* sleep(1000)
                  tell('not reached')
                }
              })
            } catch (error) {
              tell(`${(error as Error).message} at ${now()}`)
            }
          })(),
        ]
      }),
    ).toEqual(['caught inner', 'outer at 10'])
  })
})

test('whatever fails and is cancelled, in whatever order: each finally runs, and each task ends', () => {
  let seed = 1
  const below = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * n)
  }
  let [entered, left] = [0, 0]

  /** Catches about half of what fails, and lets a cancellation pass. */
  function* attempt(work: Coroutine<void>): Coroutine<void> {
    try {
      yield* work
    } catch (error) {
      if (below(2) === 0 || error instanceof Cancelled) throw error
    }
  }

  function* family(depth: number): Coroutine<void> {
    yield* scope(function* (inner) {
      const children = Array.from({ length: below(4) }, () => inner.spawn(life(depth), 'child'))
      yield* life(depth)
      if (below(3) === 0) children[0]?.cancel()
    })
  }

  function* life(depth: number): Coroutine<void> {
    entered++
    try {
      for (let step = below(3); step >= 0; step--) {
        const what = below(depth > 3 ? 3 : 6)
        if (what === 0) yield* sleep(below(20))
        else if (what === 1) yield* pause()
        else if (what === 2 && below(3) === 0) throw new Error('no luck')
        else if (what === 3) yield* attempt(timeout(below(20), life(depth + 1)))
        else if (what === 4) yield* attempt(family(depth + 1))
        else if (what === 5) yield* life(depth + 1)
      }
    } finally {
      try {
        if (below(2) === 0) yield* sleep(below(5))
        if (below(5) === 0) yield* attempt(timeout(5, sleep(10)))
      } finally {
        left++
      }
    }
  }

  for (let run = 0; run < 300; run++) {
    const { scheduler } = withoutClock()
    const tasks: Task<void>[] = []
    for (let i = 0; i < 4; i++) tasks.push(scheduler.new(attempt(life(0)), `task ${i}`))
    scheduler.new(
      (function* (): Coroutine<void> {
        for (let i = 0; i < 4; i++) {
          yield* sleep(below(15))
          tasks[below(4)]!.cancel()
        }
      })(),
    )
    try {
      scheduler.run()
    } catch (error) {
      expect((error as Error).message).toMatch(/^no luck$|^not done in \d+ ms$|^\w+( \d)? was cancelled$/)
    }
    expect({ run, left }).toEqual({ run, left: entered })
    for (const { name, outcome, depth } of tasks)
      expect({ name, ended: outcome !== undefined, depth }).toEqual({ name, ended: true, depth: 0 })
  }
})

describe('timeout', () => {
  test('is the result where that comes in time, and leaves no timer', () => {
    const { scheduler, waits } = withoutClock()
    let result = ''
    scheduler.new(
      (function* (): Coroutine<void> {
        result = yield* timeout(
          1000,
          (function* () {
            yield* sleep(10)
            return 'in time'
          })(),
        )
      })(),
    )
    scheduler.run()
    expect({ result, waits }).toEqual({ result: 'in time', waits: [10] })
  })

  test('ends what takes longer, with its cleanup, and throws', () => {
    expect(
      told((tell, _, now) => [
        (function* () {
          try {
            yield* timeout(
              20,
              (function* () {
                try {
                  yield* sleep(1000)
                } finally {
                  tell('finally')
                }
              })(),
            )
          } catch (error) {
            tell(`${error instanceof TimeoutError} ${(error as Error).message} at ${now()}`)
          }
        })(),
      ]),
    ).toEqual(['finally', 'true not done in 20 ms at 20'])
  })

  test('with the result nothing more is waited for, so that a cancellation cannot take it away', () => {
    expect(
      told((tell, scheduler) => {
        const box = new Channel<string>(1)
        const victim = scheduler.new(
          (function* (): Coroutine<void> {
            tell(String(yield* timeout(1000, box.receive())))
            yield* sleep(1)
            tell('not reached')
          })(),
        )
        return [
          (function* () {
            yield* sleep(1)
            box.trySend('the value')
            yield* pause()
            victim.cancel()
          })(),
        ]
      }),
    ).toEqual(['the value'])
  })

  test('that comes while a cancellation is under way is nothing', () => {
    expect(
      told((tell, scheduler, now) => {
        const victim = scheduler.new(
          timeout(
            10,
            (function* (): Coroutine<void> {
              try {
                yield* sleep(1000)
              } finally {
                yield* sleep(10)
                tell(`cleaned up at ${now()}`)
              }
            })(),
          ),
        )
        return [
          (function* () {
            yield* sleep(5)
            victim.cancel()
            yield* victim.ended()
            tell(`a failure: ${victim.error !== undefined}`)
          })(),
        ]
      }),
    ).toEqual(['cleaned up at 15', 'a failure: false'])
  })

  test('is nothing where a cancellation waits for the cleanup of an inner scope', () => {
    expect(
      told((tell, scheduler, now) => {
        function* work(): Coroutine<void> {
          try {
            yield* sleep(1000)
          } finally {
            yield* sleep(15)
            tell(`cleaned up at ${now()}`)
          }
        }
        const victim = scheduler.new(
          timeout(
            20,
            (function* (): Coroutine<void> {
              try {
                yield* timeout(10, work())
              } catch (error) {
                tell(`${(error as Error).message}, at ${now()}`)
              }
              yield* sleep(1000)
            })(),
          ),
        )
        return [
          (function* () {
            yield* sleep(12)
            victim.cancel()
            yield* victim.ended()
            tell(`ended at ${now()}, a failure: ${victim.error !== undefined}`)
          })(),
        ]
      }),
    ).toEqual(['cleaned up at 25', 'not done in 10 ms, at 25', 'ended at 25, a failure: false'])
  })

  test('that comes while an inner scope cleans up waits for that', () => {
    expect(
      told((tell, _scheduler, now) => [
        (function* (): Coroutine<void> {
          function* work(): Coroutine<void> {
            try {
              yield* sleep(1000)
            } finally {
              yield* sleep(10)
              tell(`cleaned up at ${now()}`)
            }
          }
          function* retries(): Coroutine<void> {
            for (let i = 0; i < 9; i++) {
              try {
                yield* timeout(15, work())
              } catch (error) {
                if (!(error instanceof TimeoutError)) throw error
              }
            }
          }
          try {
            yield* timeout(20, retries())
          } catch (error) {
            tell(`${(error as Error).message}, at ${now()}`)
          }
        })(),
      ]),
    ).toEqual(['cleaned up at 25', 'cleaned up at 35', 'not done in 20 ms, at 35']) // at the next wait
  })

  test('an inner one that is longer does not hide an outer one', () => {
    expect(
      told((tell, _, now) => [
        (function* () {
          try {
            yield* timeout(20, timeout(50, sleep(1000)))
          } catch (error) {
            tell(`${(error as Error).message} at ${now()}`)
          }
        })(),
      ]),
    ).toEqual(['not done in 20 ms at 20'])
  })
})

describe('channels', () => {
  test('hold so many values: the sender waits for the receiver', () => {
    expect(
      told((tell) => {
        const channel = new Channel<number>(2)
        return [
          (function* () {
            for (const value of [1, 2, 3, 4]) {
              yield* channel.send(value)
              tell(`sent ${value}`)
            }
            channel.close()
          })(),
          (function* () {
            for (;;) {
              const value = yield* channel.receive()
              if (value === undefined) return
              tell(`received ${value}`)
            }
          })(),
        ]
      }),
    ).toEqual(['sent 1', 'sent 2', 'received 1', 'received 2', 'sent 3', 'sent 4', 'received 3', 'received 4'])
  })

  test('a closed one takes nothing and gives what is left', () => {
    expect(
      told((tell) => {
        const channel = new Channel<number>(1)
        return [
          (function* () {
            yield* channel.send(1)
            try {
              yield* channel.send(2)
            } catch (error) {
              tell((error as Error).message)
            }
            tell(`${yield* channel.receive()} ${yield* channel.receive()}`)
          })(),
          (function* () {
            channel.close()
            yield* pause()
          })(),
        ]
      }),
    ).toEqual(['send on a closed channel', '1 undefined'])
  })

  test('trySend puts a value in where there is room, wakes who waits for it, and does not wait itself', () => {
    expect(
      told((tell) => {
        const channel = new Channel<number>(1)
        return [
          (function* () {
            tell(`received ${yield* channel.receive()}`)
          })(),
          (function* () {
            tell(`${channel.trySend(1)} ${channel.trySend(2)}`)
            yield* pause()
            yield* pause()
            channel.close()
            expect(() => channel.trySend(3)).toThrow('send on a closed channel')
          })(),
        ]
      }),
    ).toEqual(['true false', 'received 1'])
  })

  test('a capacity below 1 is refused', () => {
    expect(() => new Channel(0)).toThrow(RangeError)
  })
})

const pollers = ['select', 'poll', 'epoll'] as const

for (const poller of pollers) {
  conformance({
    slug,
    file: 'echo-server.ts',
    args: [poller],
    reply: (line) => Buffer.concat([Buffer.from('GOT:'), line, Buffer.from('\n')]),
    replyToRest: (rest) => Buffer.concat([Buffer.from('GOT:'), rest]),
    model: 'concurrent',
    stop: 'default',
    lineMax: 65_536,
    clientsAtOnce: poller === 'epoll' ? 1000 : 50,
    // It is one program, and its poller has no part in how it starts and ends.
    ...(poller !== 'epoll' && { opensLike: 'echo-server.ts' }),
  })
}

for (const poller of pollers) {
  onServers(`${poller}: a slow, a dead and a resetting client harm nobody else`, async ({ stage }) => {
    const server = await stage.serve('server', 'echo-server.ts', poller, 0)
    server.ignoreOutput()
    const client = await stage.connect('client', server)
    const dead = await stage.connect('dead', server)
    await dead.send('the beginning of a line')
    const { socket: slow, sent } = await flood(server) // sends and does not read, until it is held back
    for (let round = 0; round < 20; round++) {
      const hasty = await stage.connect('hasty', server)
      await hasty.send('hello\nhel')
      await hasty.reset()
      await client.send(`${round}\n`)
      await client.receive(`GOT:${round}\n`)
    }
    const answer = Buffer.concat([Buffer.from('GOT:'), FLOOD_LINE])
    const due = Buffer.alloc((sent / FLOOD_LINE.length) * answer.length, answer)
    expect((await read(slow, due.length)).equals(due)).toBe(true) // not a byte of it is lost
    await reset(slow)
    await client.send('still here\n')
    await client.receive('GOT:still here\n')
  })
}

onServers('chat: who does not read is dropped, and the others go on', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-chat.ts', 0)
  const deaf = await stage.connect('deaf', server)
  await server.line()
  deaf.socket.pause()
  const [first, second] = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
  await server.lines(2)
  const dropped = server.line()
  const text = `${'blah '.repeat(190)}\n`.repeat(60)
  let over = false
  void dropped.then(() => (over = true))
  while (!over) {
    await first.send(text)
    await second.receive(text)
  }
  expect(await dropped).toMatch(/ does not read$/)
  await second.send('a'.repeat(999))
  await second.send('\n')
  await first.receive(`${'a'.repeat(999)}\n`)
  await second.send('a'.repeat(1000))
  expect(await server.line()).toMatch(/ a line of more than 1000 bytes$/)
  await second.receiveEndOrReset()
})

onServers('chat: a client may send many short lines at once, and nobody who reads is dropped', async ({ stage }) => {
  const server = await stage.serve('server', 'exercise-chat.ts', 0)
  const [ann, bob] = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
  await server.lines(2)
  const text = 'x\n'.repeat(1000)
  await ann.send(text)
  await bob.receive(text)
  await bob.send('still here\n')
  await ann.receive('still here\n')
})

onServers(
  'chat: without a descriptor it serves those it has, and takes the next when one leaves',
  async ({ stage }) => {
    const server = await stage.serve('server', 'exercise-chat.ts', 0)
    const [ann, bob] = [await stage.connect('client 1', server), await stage.connect('client 2', server)]
    await server.lines(2)
    await takeDescriptors(server)
    const third = await stage.connect('client 3', server)
    expect(await server.line()).toBe('accept EMFILE: too many open files')
    await ann.send('hello\n')
    await bob.receive('hello\n')
    bob.socket.resetAndDestroy()
    await server.line()
    await third.send('me too\n')
    await ann.receive('me too\n')
  },
)
