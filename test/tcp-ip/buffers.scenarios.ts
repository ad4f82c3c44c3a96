// What the page shows, and what happens for it.

import { type Scenarios, alone, aloneAsRoot } from '../support/recordings.ts'

export const scenarios: Scenarios = {
  segments: aloneAsRoot('segments.ts'),
  'path-mtu': aloneAsRoot('path-mtu.ts'),
  'buffer-sizes': alone('buffer-sizes.ts'),
  sysctls: alone('sysctls.ts'),
  autotuning: alone('autotuning.ts'),
  'sizes-node': alone('sizes-node.ts'),
  'too-late': alone('too-late.broken.ts'),
  'exercise-on-the-way': alone('exercise-on-the-way.ts', 100, 50),
}
