import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { BEYOND, Owned } from '../../../collector/fold/owned.ts'
import type { Decoder } from '../../../collector/fold/records/record.ts'
import { catalogue } from '../../../collector/metrics/catalogue.ts'
import { isByRole, isFlow, LEVELS, type OwnedMetric } from '../../../collector/metrics/metric.ts'
import { Sampler } from '../../../collector/sample/sampler.ts'
import { encodeRows, layoutOf } from '../../../wire/columns.ts'
import { Group } from '../../../wire/count/flow_sums.ts'
import { viewOf } from '../../../wire/layout.ts'
import type { WindowNames } from '../../../wire/message.ts'
import { linesOf, pointsOf } from '../../harness/samples.ts'
import { addRows, layoutOfRecord, windowOf } from '../given.ts'

const layout = layoutOfRecord('tcp_flow')
/** Drops by reason and direction, at each level; only here. */
const drops = LEVELS.map(
  (level): OwnedMetric => ({
    ...{ name: `${level}:drops`, level, source: 'drop', group: 'tcp' },
    dimensions: ['reason', 'direction'],
    fields: [
      { name: 'packets', type: 'counter', unit: 'packets', help: 'dropped', of: ({ packets }) => packets },
    ],
    help: 'what was dropped',
  }),
)
const options = { profile: 'sockflux', metrics: ['tcp'], maxSeries: 10_000, maxProcesses: 20 } as const
const who = (name = 'web'): WindowNames => ({
  cgroups: { '1:1': 'a', '1:2': 'b' },
  containers: {
    a: name ? { runtime: 'cri', name, pod: 'u' } : { runtime: 'cri', pending: true },
    b: { runtime: 'cri', name: 'side', pod: 'u' },
  },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: ['a', 'b'],
})
/** owner, reason, direction, packets */
type Drop = [owner: 'a' | 'b' | 'host', reason: string, direction: string, packets: number]

/** A record with dimensions, as its decoder would read it. */
const DROP = {
  cgroup: 'u64',
  hierarchy: 'u32',
  netns: 'u32',
  packets: 'u32',
  reason: 16,
  direction: 4,
} as const
const dropLayout = layoutOf('drop', DROP)
const at = Object.fromEntries(dropLayout.fields.map(({ name, offset }) => [name, offset])) as Record<
  keyof typeof DROP,
  number
>
const dropDecoder: Decoder = {
  size: dropLayout.size,
  fold(rows, { owners, owned }) {
    const view = viewOf(rows)
    const text = (start: number, size: number) =>
      rows.toString('utf8', start, start + size).replace(/\0+$/, '')
    for (let row = 0; row < rows.length; row += dropLayout.size) {
      const owner = owners.of(view, row, at)
      const values = [text(row + at.reason, DROP.reason), text(row + at.direction, DROP.direction)]
      if (owner) owned.add('drop', owner, values, { packets: view.getUint32(row + at.packets, true) })
    }
  },
}
const CGROUPS = { a: 1, b: 2, host: 77 } as const

function windowWith(drops: readonly Drop[], names = who()) {
  const fold = new Fold()
  addRows(fold, layout, [{ hierarchy: 1, cgroup: 1, role: 1 }], names)
  const rows = drops.map(([owner, reason, direction, packets]) => ({
    ...{ cgroup: CGROUPS[owner], hierarchy: 1, netns: 0, packets, reason, direction },
  }))
  fold.add(encodeRows<typeof DROP>(dropLayout, rows), dropDecoder, names)
  fold.end(names)
  return windowOf(fold)
}
const lines = (batch: Parameters<typeof linesOf>[0]) =>
  linesOf(batch)
    .map(line => line.replace(/ \d+$/, ''))
    .sort()

t.test('one series for each owner and value, of containers, pods and what is in none', async t => {
  const sampler = new Sampler(options, () => 0, drops)
  const given: Drop[] = [
    ['a', 'no_socket', 'in', 2],
    ['a', 'no_socket', 'in', 1],
    ['a', 'no_socket', 'out', 4],
    ['b', 'no_socket', 'in', 8],
    ['b', 'tcp csum', 'in', 16],
    ['host', 'no_socket', 'in', 32],
  ]
  const a = 'container=a,container_name=web'
  const b = 'container=b,container_name=side'
  const expected = (times: number) =>
    [
      `container:drops,${a},direction=in,host=h,ifid=0,namespace=shop,pod=web-0,reason=no_socket packets=${3 * times}`,
      `container:drops,${a},direction=out,host=h,ifid=0,namespace=shop,pod=web-0,reason=no_socket packets=${4 * times}`,
      `container:drops,${b},direction=in,host=h,ifid=0,namespace=shop,pod=web-0,reason=no_socket packets=${8 * times}`,
      `container:drops,${b},direction=in,host=h,ifid=0,namespace=shop,pod=web-0,reason=tcp\\ csum packets=${16 * times}`,
      `host:drops,direction=in,host=h,ifid=0,reason=no_socket packets=${32 * times}`,
      `pod:drops,direction=in,host=h,ifid=0,namespace=shop,pod=web-0,reason=no_socket packets=${11 * times}`,
      `pod:drops,direction=in,host=h,ifid=0,namespace=shop,pod=web-0,reason=tcp\\ csum packets=${16 * times}`,
      `pod:drops,direction=out,host=h,ifid=0,namespace=shop,pod=web-0,reason=no_socket packets=${4 * times}`,
    ].sort()
  t.same(lines(sampler.sample(windowWith(given), '0')), expected(1))
  t.same(lines(sampler.sample(windowWith(given), '0')), expected(2), 'counters rise')
  t.same(lines(sampler.sample(windowWith([]), '0')), [], 'nothing happened')
  t.same(
    sampler.series().map(({ series }) => series),
    [4, 3, 1],
  )
  sampler.restart('h')
  t.same(lines(sampler.sample(windowWith(given), '0')), expected(1), 'another collector counted on')
})

t.test('the overflow is in ~other, and counted', async t => {
  const sampler = new Sampler({ ...options, maxSeries: 2 }, () => 0, drops)
  const given: Drop[] = ['r1', 'r2', 'r3', 'r4'].flatMap((reason, at): Drop[] => [
    ['a', reason, 'in', 10 ** at],
    ['host', reason, 'in', 10 ** at],
  ])
  const other = 'direction=~other,host=h,ifid=0,reason=~other packets='
  for (const times of [1, 2]) {
    const written = lines(sampler.sample(windowWith(given), '0'))
    t.same(
      written.filter(line => line.includes('~other')),
      [
        `container:drops,container=~other,${other}${1100 * times}`,
        `host:drops,${other}${1100 * times}`,
        `pod:drops,${other.replace('ifid=0', 'ifid=0,pod=~other')}${1100 * times}`,
      ],
    )
    t.equal(written.length, 3 * 3)
    t.equal(sampler.beyond, 6 * times)
  }
})

t.test('a silent series is forgotten', async t => {
  let now = 0
  const sampler = new Sampler({ ...options, maxSeries: 1 }, () => now, drops)
  sampler.sample(windowWith([['a', 'r1', 'in', 1]]), '0')
  now = 300_001
  sampler.expire()
  const points = pointsOf(sampler.sample(windowWith([['a', 'r2', 'in', 1]]), '0'))
  t.same(
    points.map(({ tags }) => tags['reason']),
    ['r2', 'r2'],
  )
})

t.test('drops of a container wait for its pending name', async t => {
  const sampler = new Sampler(options, () => 0, drops)
  const first = windowWith([['a', 'r', 'in', 5]], who(''))
  t.same(lines(sampler.sample(first, '0')), [])
  const later = new Fold()
  later.end(who())
  t.match(lines(sampler.sampleLate(first, '0', later)), [
    /^container:drops,container=a,container_name=web,.* packets=5$/,
    /^pod:drops,.*pod=web-0,.* packets=5$/,
  ])
})

t.test('rows of a window are bounded, and those of owners beyond the bound move', async t => {
  const owned = new Owned(2)
  const [a, b] = [new Group(), new Group()]
  for (let reason = 0; reason < 5; reason++) owned.add('drop', a, [`r${reason}`, 'in'], { packets: 1 })
  owned.add('drop', a, ['r0', 'in'], { packets: 1 })
  const rows = (owner: Group) =>
    [...owned.of('drop', [owner])].map(({ values, numbers }) => [...values, numbers['packets']])
  t.same(rows(a), [
    ['r0', 'in', 2],
    ['r1', 'in', 1],
    [BEYOND, BEYOND, 3],
  ])
  t.equal(owned.overflowed, 3)
  owned.move(a, b)
  t.same(rows(a), [])
  t.equal(
    rows(b).reduce((sum, row) => sum + Number(row.at(-1)), 0),
    6,
  )
})

t.test('a metric of flows has the dimension role or none', async t => {
  for (const metric of catalogue.filter(isFlow))
    t.same(metric.dimensions, isByRole(metric) ? ['role'] : [], metric.name)
})
