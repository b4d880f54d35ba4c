/** All dashboards there are. */

import { cluster } from './cluster.ts'
import { health } from './health.ts'
import { machines } from './machine.ts'
import { overview } from './overview.ts'
import type { Dashboard } from './panel.ts'
import { processes } from './processes.ts'
import { subjects } from './subjects.ts'
import { tcp } from './tcp.ts'

export const dashboards: readonly Dashboard[] = [
  overview,
  ...subjects,
  tcp,
  processes,
  cluster,
  machines,
  health,
]
