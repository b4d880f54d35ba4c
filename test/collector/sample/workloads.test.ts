import t from 'tap'
import { Held } from '../../../collector/cluster/held/held.ts'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import type { WindowNames } from '../../../wire/message.ts'
import { namespace, owned, pod } from '../../harness/kubernetes/objects.ts'
import { encodeRows, type Flow, tcpFlowLayout } from '../../harness/rows.ts'
import { linesOf } from '../../harness/samples.ts'
import { samplerOf, windowOf } from '../given.ts'

const layout = tcpFlowLayout()
const flow = (cgroup: number, more: Flow = {}): Flow => ({ hierarchy: 1, cgroup, role: 1, ...more })

/** Two pods of a Deployment, one of another, and a container in no pod. */
const NAMES: WindowNames = {
  cgroups: { '1:1': 'a', '1:2': 'b', '1:3': 'c', '1:4': 'd' },
  containers: {
    a: { runtime: 'cri', name: 'main', pod: 'uid-web-1' },
    b: { runtime: 'cri', name: 'main', pod: 'uid-web-2' },
    c: { runtime: 'cri', name: 'main', pod: 'uid-db-0' },
    d: { runtime: 'docker', name: 'side' },
  },
  pods: {
    'uid-web-1': { name: 'web-1', namespace: 'shop' },
    'uid-web-2': { name: 'web-2', namespace: 'shop' },
    'uid-db-0': { name: 'db-0', namespace: 'shop' },
  },
  running: ['a', 'b', 'c', 'd'],
}
function folded(flows: readonly Flow[], names: WindowNames, window = 1): Folded {
  const fold = new Fold()
  fold.add(encodeRows(layout, flows), decoder(layout), names)
  fold.end(names)
  return windowOf(fold, { key: { host: 'h', boot: 'b', probe: 'p', window } })
}
const facts = (): Held => {
  const held = new Held()
  held.set('ReplicaSet', owned('ReplicaSet', 'web-5d', ['Deployment', 'web'], 'shop'), 0)
  for (const name of ['web-1', 'web-2'])
    held.set('Pod', pod({ name, namespace: 'shop', node: 'node-7', owner: ['ReplicaSet', 'web-5d'] }), 0)
  held.set('Pod', pod({ name: 'db-0', namespace: 'shop', node: 'node-7', owner: ['StatefulSet', 'db'] }), 0)
  return held
}
const FLOWS = [flow(1), flow(1), flow(2), flow(3), flow(4)]
const about = (lines: readonly string[], start: string) => lines.filter(line => line.startsWith(start)).sort()

t.test('pods and containers are tagged with what made them and their node; no series is added', async t => {
  const metrics = ['flows'] as const
  const plain = linesOf(samplerOf('sockflux', { metrics }).sample(folded(FLOWS, NAMES), '0'))
  const lines = linesOf(samplerOf('sockflux', { metrics, facts: facts() }).sample(folded(FLOWS, NAMES), '0'))
  t.equal(lines.length, plain.length)
  const of = 'namespace=shop,node=node-7,owner_kind=Deployment,owner_name=web,pod=web-1'
  t.ok(lines.includes(`pod:num_flows,host=h,ifid=0,${of} as_client=2,as_server=0 1010`))
  t.match(about(lines, 'container:num_flows,container=a')[0], of)
  t.notMatch(about(lines, 'container:num_flows,container=d')[0], 'owner')
  const ntopng = linesOf(samplerOf('ntopng', { facts: facts() }).sample(folded(FLOWS, NAMES), '0'))
  t.notMatch(ntopng.join('\n'), /owner|node-7/)
})

t.test(
  'a workload has what its pods on a host have together, and the series stay when its pods do not',
  async t => {
    const held = facts()
    const sampler = samplerOf('sockflux', { metrics: ['workload'], facts: held })
    const flows = (window: number, rows: readonly Flow[], names = NAMES) =>
      about(linesOf(sampler.sample(folded(rows, names, window), '0')), 'workload:')
    const web = 'host=h,ifid=0,namespace=shop,owner_kind=Deployment,workload=web'
    const first = flows(1, [flow(1, { segs_sent: 5 }), flow(2, { segs_sent: 7 }), flow(3), flow(4)])
    t.same(about(first, 'workload:num_flows'), [
      `workload:num_flows,${web} as_client=2,as_server=0 1010`,
      `workload:num_flows,host=h,ifid=0,namespace=shop,owner_kind=StatefulSet,workload=db as_client=1,as_server=0 1010`,
    ])
    t.match(about(first, `workload:traffic,${web} `)[0], 'packets_sent=12,')
    held.set('Pod', pod({ name: 'web-3', namespace: 'shop', owner: ['ReplicaSet', 'web-5d'] }), 0)
    const later: WindowNames = {
      ...NAMES,
      containers: { ...NAMES.containers, b: { runtime: 'cri', name: 'main', pod: 'uid-web-3' } },
    }
    const second = flows(2, [flow(2, { segs_sent: 100 })], later)
    t.match(about(second, `workload:traffic,${web} `)[0], 'packets_sent=112,', 'the counter goes on')
  },
)

t.test('a workload does not wait for the names of its containers', async t => {
  const sampler = samplerOf('sockflux', { metrics: ['workload', 'flows'], facts: facts() })
  const pending: WindowNames = {
    ...NAMES,
    containers: { ...NAMES.containers, b: { runtime: 'cri', pod: 'uid-web-2', pending: true } },
  }
  const window = folded(FLOWS, pending)
  const first = linesOf(sampler.sample(window, '0'))
  t.match(about(first, 'workload:num_flows').join('\n'), /workload=web as_client=3,/)
  const late = linesOf(sampler.sampleLate(window, '0', folded([], NAMES, 2).fold))
  t.same(about(late, 'workload:'), [], 'a second value for one time would take the place of the first')
  t.equal(about(late, 'container:num_flows,container=b').length, 1)
})

t.test('a pod that its probe has no name for has the one of the cluster, without the labels', async t => {
  const sampler = samplerOf('sockflux', { metrics: ['flows'], facts: facts() })
  const lines = linesOf(sampler.sample(folded(FLOWS, { ...NAMES, pods: {} }), '0'))
  t.match(about(lines, 'pod:num_flows').join('\n'), /pod=web-1 as_client=2/)
  t.match(about(lines, 'container:num_flows,container=a')[0], 'pod=web-1')
  t.notMatch(lines.join('\n'), 'label_')
})

t.test(
  'labels of pods are tags where they are asked for; a container has the name that the cluster has',
  async t => {
    const held = facts()
    const labels = { team: 'a', other: 'b', app: 'x' }
    const status = { containerStatuses: [{ name: 'main', containerID: 'containerd://a' }] }
    held.set('Pod', { ...pod({ name: 'web-1', namespace: 'shop', labels }), status }, 0)
    const sampler = samplerOf('sockflux', {
      metrics: ['flows'],
      facts: held,
      clusterLabel: ['team', 'app', 'none', 'constructor'],
    })
    const nameless: WindowNames = {
      ...NAMES,
      containers: { ...NAMES.containers, a: { runtime: 'cri', pod: 'uid-web-1' } },
      pods: {
        ...NAMES.pods,
        'uid-web-1': { name: 'web-1', namespace: 'shop', labels: { app: 'of the probe' } },
      },
    }
    for (const window of [1, 2]) {
      const lines = linesOf(sampler.sample(folded(FLOWS, nameless, window), '0'))
      const tags = 'label_app=of\\ the\\ probe,label_team=a,namespace=shop'
      t.match(
        about(lines, 'container:num_flows,container=a,')[0],
        `container_name=main,host=h,ifid=0,${tags}`,
      )
      t.match(about(lines, 'pod:num_flows').join('\n'), tags)
      t.equal(sampler.series().find(({ measurement }) => measurement === 'pod:num_flows')?.series, 3)
    }
  },
)

t.test('a pod without a label has that of its namespace', async t => {
  const held = facts()
  held.set('Namespace', namespace('shop', { team: 'of shop', cost: '7' }), 0)
  held.set('Namespace', namespace('other', { tier: 'x' }), 0)
  held.set('Pod', pod({ name: 'web-1', namespace: 'shop', labels: { team: 'own' } }), 0)
  const clusterLabel = ['team', 'cost', 'tier']
  const sampler = samplerOf('sockflux', { metrics: ['flows'], facts: held, clusterLabel })
  const pods = about(linesOf(sampler.sample(folded(FLOWS, NAMES), '0')), 'pod:num_flows')
  const labels = Object.fromEntries(
    pods.map(line => [/pod=([\w-]+)/.exec(line)![1], line.match(/label_\w+=(?:\\.|[^, ])+/g)]),
  )
  t.same(labels, {
    'db-0': ['label_cost=7', 'label_team=of\\ shop'],
    'web-1': ['label_cost=7', 'label_team=own'],
    'web-2': ['label_cost=7', 'label_team=of\\ shop'],
  })
})
