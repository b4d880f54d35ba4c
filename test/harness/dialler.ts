/** `dialler.ts ENDPOINT`: a probe's connection by itself, for namespaces of its own. Prints `up` when a collector is reached. */

import { pino } from 'pino'
import { Connection } from '../../probe/publish/connection.ts'

const feed = {
  begin() {},
  reached: (isUp: boolean) => console.log(isUp ? 'up' : 'down'),
  next: () => undefined,
  acknowledged() {},
}
new Connection(process.argv[2]!, feed, { host: 'h', boot: 'b', probe: 'p' }, pino({}, process.stderr))
