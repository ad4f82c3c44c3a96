// What `await` does, in the terms of page 3.1: an async function is a generator and somebody who
// resumes it. Both forms run side by side, and each line says in which microtask it was printed.

type Tell = (what: string) => void

/** Something that may be waited for, and need not be. */
const plain = (): number | Promise<number> => 42
const promised = (): Promise<string> => Promise.resolve('end')

// #region async
async function asyncInner(tell: Tell): Promise<string> {
  tell('inner begins, in the call')
  await undefined
  tell('inner is resumed')
  return 'result'
}

async function asyncOuter(tell: Tell): Promise<string> {
  tell('outer begins, in the call')
  tell(`outer has the ${await asyncInner(tell)}`)
  tell(`outer has a plain ${await plain()}`)
  try {
    await Promise.reject(new Error('no luck'))
  } catch (error) {
    tell(`outer catches ${(error as Error).message}`)
  } finally {
    tell('outer cleans up')
  }
  return promised() // a promise of a promise
}
// #endregion async

// #region generator
function* innerSteps(tell: Tell): Steps<string> {
  tell('inner begins, in the call')
  yield undefined
  tell('inner is resumed')
  return 'result'
}

function* outerSteps(tell: Tell): Steps<string | Promise<string>> {
  tell('outer begins, in the call')
  tell(`outer has the ${yield run(innerSteps(tell))}`)
  tell(`outer has a plain ${yield plain()}`)
  try {
    yield Promise.reject(new Error('no luck'))
  } catch (error) {
    tell(`outer catches ${(error as Error).message}`)
  } finally {
    tell('outer cleans up')
  }
  return promised()
}
// #endregion generator

// #region run
/** Yields what it waits for, and is resumed with what came of it. */
type Steps<T> = Generator<unknown, T, unknown>

function run<T>(steps: Steps<T>): Promise<Awaited<T>> {
  return new Promise((resolve, reject) => {
    function resume(step: () => IteratorResult<unknown, T>): void {
      try {
        const { done, value } = step()
        if (done) return resolve(value as Awaited<T>)
        Promise.resolve(value).then(
          (result) => resume(() => steps.next(result)),
          (error: unknown) => resume(() => steps.throw(error)),
        )
      } catch (error) {
        reject(error)
      }
    }
    resume(() => steps.next())
  })
}
// #endregion run

// #region record
/** Runs one of the forms, and counts microtasks by a chain of them that runs along. */
async function record(outer: (tell: Tell) => Promise<string>): Promise<string[]> {
  const lines: string[] = []
  let microtask = 0
  let running = true
  const tell = (what: string): number => lines.push(`${microtask}  ${what}`)
  const count = (): void => {
    microtask++
    if (running) queueMicrotask(count)
  }
  queueMicrotask(count)
  const promise = outer(tell)
  tell('the caller goes on')
  tell(`the caller has the ${await promise}`)
  running = false
  return lines
}
// #endregion record

const ofAsync = await record(asyncOuter)
const ofGenerator = await record((tell) => run(outerSteps(tell)))

console.log(ofAsync.join('\n'))
console.log(`the generators print the same: ${ofAsync.join() === ofGenerator.join()}`)

// #region nobody-waits
function* ready(): Generator<never, number> {
  return 42
}

function* task(tell: Tell): Generator<never, void> {
  tell(`yield* has ${yield* ready()}`)
}

async function call(tell: Tell): Promise<void> {
  tell(`await has ${await plain()}`)
}

task(console.log).next()
const called = call(console.log)
console.log('the line behind both')
await called
// #endregion nobody-waits

// #region stacks
async function fails(): Promise<void> {
  await plain()
  throw new Error('no luck')
}
async function outer(): Promise<void> {
  await fails()
}

function* failsSteps(): Steps<void> {
  yield plain()
  throw new Error('no luck')
}
function* outerYields(): Steps<void> {
  yield run(failsSteps())
}
function* outerDelegates(): Steps<void> {
  yield* failsSteps()
}

for (const call of [outer, () => run(outerYields()), () => run(outerDelegates())]) {
  await call().catch(({ stack }: Error) => {
    const names = Array.from(stack!.matchAll(/at ((?:async )?\w+) \(/g), ([, name]) => name)
    console.log(`the stack has ${names.filter((name) => name !== 'resume').join(', ')}`)
  })
}
// #endregion stacks
