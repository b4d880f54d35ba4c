import fc from 'fast-check'
import t from 'tap'
import { Fold } from '../../../../collector/fold/fold.ts'
import { bucketOf, Histogram } from '../../../../wire/count/histogram.ts'
import { addRows, layoutOfRecord } from '../../given.ts'

const totalLayout = layoutOfRecord('tcp_total')
const bucketLayout = layoutOfRecord('rtt_bucket')
const SERVER = 2
const names = {
  cgroups: { '1:10': 'a', '1:11': 'b' },
  netns: { '7': 'n' },
  containers: {
    a: { runtime: 'cri', pod: 'u' },
    b: { runtime: 'cri', pod: 'u' },
    n: { runtime: 'podman' },
  },
  pods: {},
}

interface Owner {
  readonly hierarchy: number
  readonly cgroup: number
  readonly netns: number
  readonly role: number
}

/** The rows that the probe makes of these samples. */
function addSamples(fold: Fold, owner: Owner, samples: readonly number[]): void {
  const sum = (of: (us: number) => number) => samples.reduce((total, us) => total + of(us), 0)
  const total = {
    ...owner,
    rtt_sum_us: sum(us => us),
    rtt_squares_us2: sum(us => us * us),
    rtt_samples: samples.length,
    rtt_min_us: Math.min(...samples),
    rtt_max_us: Math.max(...samples),
  }
  addRows(fold, totalLayout, [total], names)
  const buckets = Map.groupBy(samples, bucketOf)
  const rows = [...buckets].map(([bucket, values]) => ({ ...owner, bucket, samples: values.length }))
  addRows(fold, bucketLayout, rows, names)
}

const plain = (histogram: Histogram | undefined) => {
  const { count, min, max, sum, squares } = histogram ?? new Histogram()
  return { count, min, max, sum, squares, buckets: [...(histogram?.buckets() ?? [])] }
}
const histogramOf = (samples: readonly number[]) => {
  const histogram = new Histogram()
  for (const us of samples) histogram.add(us)
  return histogram
}

t.test(
  'containers add up to their pod, and containers and host to all; every sample in its group',
  async t => {
    const owner = fc.record({
      hierarchy: fc.constant(1),
      cgroup: fc.constantFrom(10, 11, 12),
      netns: fc.constantFrom(7, 8),
      role: fc.constantFrom(1, SERVER),
    })
    const samples = fc.array(fc.integer({ min: 1, max: 2 ** 20 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.tuple(owner, samples), { maxLength: 10 }), parts => {
        const fold = new Fold()
        for (const [owner, samples] of parts) addSamples(fold, owner, samples)
        const idOf = ({ cgroup, netns }: Owner) =>
          cgroup === 10 ? 'a' : cgroup === 11 ? 'b' : netns === 7 ? 'n' : 'host'
        const of = (...ids: string[]) =>
          parts
            .filter(([owner]) => owner.role !== SERVER && ids.includes(idOf(owner)))
            .flatMap(([, all]) => all)
        for (const id of ['a', 'b', 'n'])
          t.same(plain(fold.containers.get(id)?.client.rtt), plain(histogramOf(of(id))))
        t.same(plain(fold.host.client.rtt), plain(histogramOf(of('host'))))
        t.same(plain(fold.pods().get('u')?.client.rtt), plain(histogramOf(of('a', 'b'))))
        t.equal(fold.host.client.smoothed, 0)
      }),
      { numRuns: 50 },
    )
  },
)

t.test('resets count, with samples or without', async t => {
  const fold = new Fold()
  const rows = [
    { hierarchy: 1, cgroup: 10, role: SERVER, resets_sent: 2 },
    { hierarchy: 1, cgroup: 10, role: SERVER, resets_sent: 1, resets_rcvd: 4 },
  ]
  addRows(fold, totalLayout, rows, names)
  const { server } = fold.containers.get('a')!
  t.match(server, { resetsSent: 3, resetsRcvd: 4, flows: 0 })
  t.equal(server.rtt, undefined)
})
