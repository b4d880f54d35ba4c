import t from 'tap'
import { catalogue, metricsOf } from '../../../collector/metrics/catalogue.ts'
import { GROUPS, tagsOf } from '../../../collector/metrics/metric.ts'

t.test('every measurement of the design is there, in some group', async t => {
  const LEVELS = ['container', 'pod', 'host']
  const SUFFIXES = ['num_flows', 'rtt', 'rtt_variance', 'rtt_dist', 'traffic', 'tcp', 'connect']
  const WHY = ['limits', 'stalls', 'accept', 'queueing', 'throughput']
  const wanted = [
    ...LEVELS.flatMap(level => SUFFIXES.map(suffix => `${level}:${suffix}`)),
    ...['pod:num_containers', 'process:num_flows', 'process:rtt', 'process:traffic'],
    ...[...LEVELS, 'process'].flatMap(level => WHY.map(suffix => `${level}:${suffix}`)),
    ...['subnet:num_flows', 'peer:num_flows', 'service:traffic', 'node:traffic'],
    ...['num_flows', 'rtt', 'rtt_variance', 'traffic', 'tcp'].map(suffix => `workload:${suffix}`),
    ...[
      'iface:traffic',
      'host:cpu',
      'host:mem',
      'host:conntrack',
      'probe:stats',
      'probe:coverage',
      'probe:lost',
      'collector:stats',
      'collector:lost',
    ],
  ]
  const names = catalogue.map(({ name }) => name)
  t.same(names.toSorted(), wanted.toSorted())
  t.same([...new Set(catalogue.map(({ group }) => group))].sort(), [...GROUPS].sort())
})

t.test('tags never carry addresses, ports (but those of Services) or processes by number', async t => {
  const tags = new Set(catalogue.flatMap(tagsOf))
  t.same([...tags].sort(), [
    ...[
      'by',
      'container',
      'container_name',
      'end',
      'host',
      'ifid',
      'ifname',
      'label_*',
      'namespace',
      'node',
      'owner_kind',
      'owner_name',
      'peer',
      'peer_node',
      'pod',
      'port',
    ],
    ...['process', 'reason', 'role', 'scope', 'service', 'stage', 'subnet', 'workload'],
  ])
})

t.test('groups choose measurements; ntopng has its seven in any case', async t => {
  t.same(
    metricsOf('sockflux', ['connect']).map(({ name }) => name),
    ['container:connect', 'pod:connect', 'host:connect'],
  )
  t.equal(metricsOf('sockflux', GROUPS).length, catalogue.length)
  t.equal(metricsOf('ntopng', ['stats']).length, 7)
})
