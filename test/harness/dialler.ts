/** `dialler.ts ENDPOINT`: a probe's connection by itself, for namespaces of its own. Prints `up` when a collector is reached. */

import { pino } from 'pino'
import { Connection } from '../../probe/publish/link/connection.ts'
import { Trust } from '../../probe/publish/link/trust.ts'

const feed = {
  begin() {},
  reached: (isUp: boolean) => console.log(isUp ? 'up' : 'down'),
  next: () => undefined,
  acknowledged() {},
}
const trust = new Trust({ keys: '/nowhere', collectorKey: [], linkUsers: [] })
new Connection(
  `${process.argv[2]!},plain`,
  feed,
  { host: 'h', boot: 'b', probe: 'p' },
  trust,
  pino({}, process.stderr),
)
