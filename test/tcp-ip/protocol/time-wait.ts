// What takes a minute, and is started before everything else.

import type { Scenarios } from '../../support/recordings.ts'

export const timeWait: Scenarios = {
  'time-wait': {
    where: 'in a network namespace',
    slow: true,
    async act(stage) {
      const program = stage.start('program', 'time-wait.ts')
      await program.lines(4)
      await program.ended // no limit but that of the test: it sleeps for a minute
      await program.line()
    },
  },
}
