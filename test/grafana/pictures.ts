/**
 * Draws each dashboard from what the real pipeline wrote while two pods talked: docs/dashboards/*.svg.
 *
 *     node test/grafana/pictures.ts
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dashboards } from '../../grafana/table/dashboards.ts'
import { picture } from './picture/picture.ts'
import { HOST, NAMESPACE, openWorld, TROUBLED } from './world.ts'

const FOLDER = join(import.meta.dirname, '../../docs/dashboards')
const ROUNDS = 30

const world = await openWorld({ rounds: ROUNDS })
try {
  const chosen = { host: [HOST, TROUBLED], namespace: [NAMESPACE] }
  const range = { from: world.from, to: world.to, interval: 3 }
  await mkdir(FOLDER, { recursive: true })
  for (const dashboard of dashboards)
    await writeFile(join(FOLDER, `${dashboard.name}.svg`), await picture(dashboard, world, chosen, range))
} finally {
  await world.close()
}
