/** Reads facts of a cluster as the collector does, in a process of its own: `node --expose-gc cluster_reader.ts <from> <pods>`. */

import { Cluster } from '../../collector/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const [from = '', pods] = process.argv.slice(2)
const gc = (globalThis as { gc?: () => void }).gc!
const MB = 2 ** 20
gc()
const before = { rss: process.memoryUsage.rss(), heap: process.memoryUsage().heapUsed }
const began = performance.now()
const cluster = await Cluster.open(from, { warn: (_, text) => process.stderr.write(`${text}\n`) })
const sizes = () => (cluster.view() as { cluster: Record<string, number> }).cluster
await until('all pods', () => sizes()['Pod'] === Number(pods), 60_000)
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage()
const most = process.resourceUsage().maxRSS / 1024
gc()
const heap = (process.memoryUsage().heapUsed - before.heap) / MB
const lookups = 1_000_000
const asked = performance.now()
let found = 0
for (let at = 0; at < lookups; at++) {
  const pod = at % Number(pods)
  if (cluster.facts.podByAddress(`10.${pod >> 16}.${(pod >> 8) & 255}.${pod & 255}`, Date.now())) found++
}
const perSecond = lookups / ((performance.now() - asked) / 1000)
if (found !== lookups) throw new Error(`${found} of ${lookups} addresses have a pod`)
await cluster.close()
const cpu = (user + system) / 1e6
process.stdout.write(JSON.stringify({ seconds, cpu, heap, most, before: before.rss / MB, perSecond }))
