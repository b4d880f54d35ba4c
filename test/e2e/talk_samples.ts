/** What the collector has to write of containers that talk. */

import type { Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import type { Ledger, Role } from '../harness/ledger.ts'
import type { Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { keyOf, type Talk, type Talker } from './talk.ts'

const ROLES: readonly Role[] = ['client', 'server']

type Sample = Readonly<Record<string, unknown>>

/** The samples of a measurement in some windows, once all containers have theirs of the last one. */
async function samplesOf(
  site: Site,
  measurement: string,
  windows: readonly number[],
  isWhole: (last: readonly Sample[]) => boolean,
): Promise<Sample[]> {
  const [first, last] = [windows[0]!, windows.at(-1)!]
  const sql = `select *, epoch(time) as second from "${measurement}"
    where epoch(time) between ${first} and ${last} order by time`
  return until(
    `window ${last} of ${measurement}`,
    async () => {
      const samples = await site.query(sql).catch((): Sample[] => [])
      return isWhole(samples.filter(({ second }) => second === last)) && samples
    },
    20_000,
  )
}

/** Flows are as the ledger of these talkers has them, in both roles and in each window. */
function checkFlows(t: Test, samples: readonly Sample[], what: string, talkers: Talker[], ledger: Ledger) {
  const wrong: unknown[] = []
  let unsure = 0
  for (const sample of samples)
    for (const role of ROLES) {
      const window = Number(sample['second'])
      const bounds = talkers.map(talker => ledger.flows(keyOf(talker), role, window))
      const least = bounds.reduce((sum, bound) => sum + bound.least, 0)
      const most = bounds.reduce((sum, bound) => sum + bound.most, 0)
      const flows = Number(sample[`as_${role}`])
      if (flows < least || flows > most) wrong.push({ window, role, flows, least, most })
      if (least < most) unsure++
    }
  t.same(wrong, [], `${what}: flows are exact in both roles`)
  if (unsure > 0) t.comment(`the machine was slow: ${unsure} numbers of ${what} had some room`)
}

const tagsOf = (sample: Sample, ...names: string[]) => names.map(name => sample[name] ?? undefined)
const distinct = (some: readonly unknown[]) => [...new Set(some.map(one => JSON.stringify(one)))]

/** What was written of all talkers and their pods, from one window to another. */
export async function checkTalk(
  t: Test,
  site: Site,
  { ledger }: Talk,
  talkers: readonly Talker[],
  first: number,
  last: number,
): Promise<void> {
  const windows = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const contained = talkers.filter(({ id }) => id !== undefined)
  const isOf = (sample: Sample, { id = '' }: Talker) => sample['container'] === shortId(id)
  const samples = await samplesOf(site, 'container:num_flows', windows, some =>
    contained.every(talker => some.some(sample => isOf(sample, talker))),
  )
  for (const talker of contained) {
    const own = samples.filter(sample => isOf(sample, talker))
    const { name, pod, namespace } = talker
    const what = keyOf(talker)
    t.same(
      own.map(({ second }) => second),
      windows,
      `${what}: a sample in each window`,
    )
    const tags = own.map(sample => tagsOf(sample, 'container_name', 'pod', 'namespace'))
    t.same(distinct(tags), distinct([[name, pod, namespace]]), `${what}: its names`)
    checkFlows(t, own, what, [talker], ledger)
  }
  const pods = Map.groupBy(
    contained.filter(({ pod }) => pod),
    ({ pod, namespace }) => `${namespace}/${pod}`,
  )
  if (pods.size === 0) return
  const podOf = (sample: Sample) => `${sample['namespace']}/${sample['pod']}`
  const areAll = (some: readonly Sample[]) => [...pods.keys()].every(pod => some.map(podOf).includes(pod))
  const flows = await samplesOf(site, 'pod:num_flows', windows, areAll)
  const counts = await samplesOf(site, 'pod:num_containers', windows, areAll)
  for (const [pod, members] of pods) {
    const own = flows.filter(sample => podOf(sample) === pod)
    t.same(
      own.map(({ second }) => second),
      windows,
      `${pod}: a sample in each window`,
    )
    checkFlows(t, own, pod, members, ledger)
    const numbers = counts.filter(sample => podOf(sample) === pod)
    t.same(
      numbers.map(sample => sample['num_containers']),
      windows.map(() => members.length),
      `${pod}: containers`,
    )
  }
}
