// A generator is a function that can stop, and go on where it has stopped.

// #region generator
function* ask(): Generator<string, string, string> {
  console.log('  starts')
  const name = yield 'name?'
  console.log(`  goes on with ${name}`)
  try {
    const town = yield 'town?'
    return `${name} of ${town}`
  } catch (error) {
    console.log(`  catches ${(error as Error).message}`)
    return 'nobody'
  } finally {
    console.log('  finally')
  }
}
// #endregion generator

// #region drive
console.log('next: an answer for each question')
let asking = ask() // runs nothing yet
console.log(asking.next())
console.log(asking.next('Ann'))
console.log(asking.next('Ulm'))

console.log('throw: an error in place of an answer')
asking = ask()
asking.next()
asking.next('Ann')
console.log(asking.throw(new Error('no luck')))

console.log('return: no answer, and no more questions')
asking = ask()
asking.next()
asking.next('Ann')
console.log(asking.return('stopped'))
// #endregion drive

// #region delegate
function* twice(): Generator<string, string, string> {
  return `${yield* ask()} and ${yield* ask()}`
}

console.log('yield*: the questions of another generator, and its result')
const both = twice()
const answers = ['Ann', 'Ulm', 'Bob', 'Bath']
for (let step = both.next(); ; step = both.next(answers.shift()!)) {
  console.log(step)
  if (step.done) break
}
// #endregion delegate

// #region lost-return
function* cleansUp(): Generator<string, void, string> {
  try {
    yield 'work'
  } finally {
    yield 'cleanup'
  }
}

function* caller(): Generator<string, void, string> {
  yield* cleansUp()
  console.log('  the caller goes on')
}

for (const how of ['return', 'throw'] as const) {
  console.log(`${how}: a finally that stops, behind yield*`)
  const task = caller()
  task.next()
  console.log(how === 'return' ? task.return() : task.throw(new Error('no luck')))
  try {
    console.log(task.next(''))
  } catch (error) {
    console.log(String(error))
  }
}
// #endregion lost-return
