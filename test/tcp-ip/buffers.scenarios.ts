// What the page shows, and what happens for it.

import { type Scenario, type Scenarios, alone } from '../support/recordings.ts'

/** One that needs networks of its own. */
function runAsRoot(file: string): Scenario {
  return { where: 'in a network namespace', act: alone(file) }
}

export const scenarios: Scenarios = {
  segments: runAsRoot('segments.ts'),
  'path-mtu': runAsRoot('path-mtu.ts'),
  'buffer-sizes': alone('buffer-sizes.ts'),
  sysctls: alone('sysctls.ts'),
  autotuning: alone('autotuning.ts'),
  'sizes-node': alone('sizes-node.ts'),
  'too-late': alone('too-late.broken.ts'),
  'exercise-on-the-way': alone('exercise-on-the-way.ts', 100, 50),
}
