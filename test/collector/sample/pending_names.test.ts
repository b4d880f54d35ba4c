import t from 'tap'
import type { Batch } from '../../../collector/batch.ts'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { PendingNames } from '../../../collector/sample/pending_names.ts'
import type { Field, Layout } from '../../../wire/layout.ts'
import type { ContainerName, PodName } from '../../../wire/message.ts'
import { openStore, rows as storedRows, temporary } from '../../harness/embedded.ts'
import { pointsOf } from '../../harness/samples.ts'
import { samplerOf, windowOf } from '../given.ts'

const NUMBERS =
  'cgroup hierarchy netns role flags reported_ns closed_ns segs_sent segs_rcvd rtt_us rtt_var_us bytes_sent bytes_rcvd segs_resent pid'.split(
    ' ',
  )
const layout: Layout = {
  name: 'tcp_flow',
  size: NUMBERS.length * 4 + 16,
  fields: [
    ...NUMBERS.map((name, index): Field => ({ name, offset: index * 4, size: 4, type: 'u32' })),
    { name: 'comm', offset: NUMBERS.length * 4, size: 16, type: 'bytes' },
  ],
}
const decode = decoder(layout)

function rows(...flows: { cgroup: number; netns?: number }[]): Buffer {
  const buffer = Buffer.alloc(flows.length * layout.size)
  for (const [index, { cgroup, netns = 0 }] of flows.entries()) {
    buffer.writeUInt32LE(cgroup, index * layout.size)
    buffer.writeUInt32LE(1, index * layout.size + 4)
    buffer.writeUInt32LE(netns, index * layout.size + 8)
    buffer.writeUInt32LE(1, index * layout.size + 12)
  }
  return buffer
}

/** A window in which each of these containers has one flow. */
function window(
  index: number,
  containers: Record<string, ContainerName>,
  pods: Record<string, PodName> = {},
  gone: Record<string, ContainerName> = {},
): Folded {
  const fold = new Fold()
  const ids = Object.keys(containers)
  const cgroups = Object.fromEntries(ids.map((id, at) => [`1:${at + 1}`, id]))
  fold.add(rows(...ids.map((_, at) => ({ cgroup: at + 1 }))), decode, { cgroups, containers, pods })
  fold.end({ cgroups: {}, containers: { ...containers, ...gone }, pods, running: ids })
  const key = { host: 'h', boot: 'b', probe: 'p', window: index }
  return windowOf(fold, { key, time: 1000 + index * 10 })
}

function start() {
  const batches: Batch[] = []
  const settled: number[] = []
  let now = 0
  const push = (batch: Batch, done: () => void) => {
    batches.push(batch)
    done()
  }
  const hold = new PendingNames(samplerOf('sockflux'), push, () => now)
  const write = (folded: Folded) => hold.write(folded, '0', () => settled.push(folded.key.window))
  /** The flows of what was pushed since the last call: `time measurement name flows`. */
  const written = () =>
    batches.splice(0).flatMap(batch =>
      pointsOf(batch)
        .filter(({ measurement }) => measurement.name.endsWith(':num_flows'))
        .map(({ measurement, tags, values }) => {
          const name = tags['container_name'] ?? tags['pod'] ?? tags['container'] ?? tags['host']
          return `${batch.time} ${measurement.name.split(':')[0]} ${name} ${values[0]}`
        }),
    )
  return { hold, write, written, settled, wait: (ms: number) => (now += ms) }
}

const pending = { runtime: 'docker', pending: true }

t.test('a container whose name is pending is written with the next window, at its own time', async t => {
  const { write, written, settled } = start()
  write(window(1, { a: { runtime: 'docker', name: 'web' }, b: pending }))
  t.same(written(), ['1010 container web 1', '1010 host h 0'])
  t.same(settled, [], 'its window is settled with it')
  write(window(2, { b: { runtime: 'docker', name: 'new' } }))
  t.same(written(), ['1010 container new 1', '1020 container new 1', '1020 host h 0'])
  t.same(settled, [1, 2])
})

t.test('also when it has ended, and when its name never comes', async t => {
  const { write, written } = start()
  write(window(1, { b: pending, c: pending }))
  t.same(written(), ['1010 host h 0'])
  write(window(2, {}, {}, { b: { runtime: 'docker', name: 'job' } }))
  t.same(written(), ['1010 container job 1', '1010 container c 1', '1020 host h 0'])
})

t.test(
  'a pod that has no name yet waits with its container, one that has does not, and none is written twice',
  async t => {
    const { write, written } = start()
    const pods = { u1: { name: 'web-0', namespace: 'shop' } }
    const containers = {
      a: { runtime: 'cri', name: 'main', pod: 'u1' },
      b: { runtime: 'cri', pod: 'u1', pending: true },
      c: { runtime: 'cri', pod: 'u2', pending: true },
    }
    write(window(1, containers, pods))
    t.same(written(), ['1010 container main 1', '1010 pod web-0 2', '1010 host h 0'])
    const named = {
      b: { runtime: 'cri', name: 'side', pod: 'u1' },
      c: { runtime: 'cri', name: 'x', pod: 'u2' },
    }
    write(window(2, {}, { ...pods, u2: { name: 'db-0', namespace: 'shop' } }, named))
    t.same(written(), ['1010 container side 1', '1010 container x 1', '1010 pod db-0 1', '1020 host h 0'])
  },
)

t.test('every pod waits for a container that may be in any of them', async t => {
  const { write, written } = start()
  const pods = { u1: { name: 'web-0', namespace: 'shop' } }
  write(
    window(1, { a: { runtime: 'cri', name: 'main', pod: 'u1' }, b: { runtime: 'cri', pending: true } }, pods),
  )
  t.same(written(), ['1010 container main 1', '1010 host h 0'])
  write(window(2, {}, pods, { b: { runtime: 'cri', name: 'side', pod: 'u1' } }))
  t.same(written(), ['1010 container side 1', '1010 pod web-0 2', '1020 host h 0'])
  const main = { runtime: 'cri', name: 'main', pod: 'u1' }
  write(window(3, { a: main, c: pending }, pods))
  t.same(written(), ['1030 container main 1', '1030 pod web-0 1', '1030 host h 0'], "Docker's is in none")
})

t.test('the store keeps both parts of a window, each once', async t => {
  const batches: Batch[] = []
  const hold = new PendingNames(samplerOf('sockflux'), batch => batches.push(batch))
  hold.write(window(1, { a: { runtime: 'docker', name: 'web' }, b: pending }), '0', () => {})
  hold.write(window(2, { b: { runtime: 'docker', name: 'new' } }), '0', () => {})
  const sink = await openStore(t, await temporary(t), { now: () => 0 })
  for (const batch of [...batches, ...batches]) await sink.write(batch)
  const flows = await storedRows(
    sink,
    'SELECT epoch(time)::INT, container_name FROM "container:num_flows" ORDER BY ALL',
  )
  t.same(flows, [
    [1010, 'new'],
    [1010, 'web'],
    [1020, 'new'],
  ])
  t.same(await storedRows(sink, 'SELECT count(*)::INT FROM "host:num_flows"'), [[2]])
})

t.test('a pending part is written when the probe does not come back', async t => {
  const { hold, write, written, settled, wait } = start()
  write(window(1, { b: pending }))
  written()
  hold.flush(60_000)
  t.same(written(), [])
  wait(60_000)
  hold.flush(60_000)
  t.same(written(), ['1010 container b 1'])
  t.same(settled, [1])
})

t.test('labels of the settings become tags', async t => {
  const labels = { team: 'a' }
  const folded = window(
    1,
    { a: { runtime: 'cri', name: 'main', pod: 'u', labels } },
    { u: { name: 'web-0', namespace: 'shop', labels: { app: 'web' } } },
  )
  const samples = pointsOf(samplerOf('sockflux').sample(folded, '0'))
  const tags = (level: string) =>
    samples.find(({ measurement }) => measurement.name === `${level}:num_flows`)?.tags
  t.match(tags('container'), { container: 'a', label_team: 'a', label_app: 'web' })
  t.match(tags('pod'), { pod: 'web-0', label_app: 'web' })
  const ntopng = pointsOf(samplerOf('ntopng').sample(folded, '0'))
  t.ok(ntopng.every(({ tags }) => Object.keys(tags).every(name => !name.startsWith('label_'))))
})

t.test(
  "a flow in no container's cgroup is that of its network namespace, if that is a container's",
  async t => {
    const fold = new Fold()
    const containers = { a: { runtime: 'docker' }, b: { runtime: 'podman' } }
    const flows = [
      { cgroup: 1, netns: 7 },
      { cgroup: 2, netns: 7 },
      { cgroup: 2, netns: 8 },
      { cgroup: 2, netns: 7 },
    ]
    fold.add(rows(...flows), decode, { cgroups: { '1:1': 'a' }, netns: { '7': 'b' }, containers, pods: {} })
    const counted = [fold.containers.get('a'), fold.containers.get('b'), fold.host].map(
      group => group?.client.flows,
    )
    t.same(counted, [1, 2, 1], 'the cgroup goes first')
  },
)

t.test('the first window of a run is not written, but its counters are', async t => {
  const { write, written, settled } = start()
  const sampler = samplerOf('sockflux')
  const batches: Batch[] = []
  const hold = new PendingNames(sampler, (batch, done) => {
    batches.push(batch)
    done()
  })
  const containers = { a: { runtime: 'docker', name: 'web' } }
  const first = { ...window(0, { ...containers, b: pending }), partial: true }
  write(first)
  t.same(written(), [])
  t.same(settled, [], 'a name is on its way')
  write(window(1, containers))
  t.same(written(), ['1010 container web 1', '1010 host h 0'])
  t.same(settled, [0, 1])
  hold.write({ ...window(0, containers), partial: true }, '0', () => {})
  hold.write(window(1, containers), '0', () => {})
  const opened = batches.flatMap(batch =>
    pointsOf(batch)
      .filter(({ measurement }) => measurement.name === 'container:tcp')
      .map(({ tags, values }) => `${tags['container_name']} ${values[0]}`),
  )
  t.same(opened, ['web 2'])
})

t.test('a pending part that another collector has written is dropped, and its window is settled', async t => {
  const { hold, write, written, settled } = start()
  write(window(1, { a: pending }))
  t.same(written(), ['1010 host h 0'])
  hold.forget({ host: 'h', boot: 'b', probe: 'other', window: 2 })
  hold.forget({ host: 'h', boot: 'b', probe: 'p', window: 1 })
  t.same(settled, [])
  hold.forget({ host: 'h', boot: 'b', probe: 'p', window: 2 })
  hold.flush(0)
  t.same([written(), settled], [[], [1]])
})
