import t from 'tap'
import { catalogue } from '../../../collector/metrics/catalogue.ts'
import { UNITS } from '../../../collector/metrics/metric.ts'
import { familiesOf, seriesOf } from '../../../collector/metrics/prometheus.ts'

const namesOf = (name: string): string[] => {
  const metric = catalogue.find(metric => metric.name === name)!
  return metric.fields.map((_, at) => seriesOf(metric, at).replace('sockflux_', ''))
}

// Checked by hand against prometheus.io/docs/practices/naming, once.
t.test('roles are labels, units are base units and come last, counters end in total', async t => {
  t.same(namesOf('container:num_flows'), ['container_flows{role="client"}', 'container_flows{role="server"}'])
  t.same(namesOf('pod:rtt'), ['pod_rtt_seconds{role="client"}', 'pod_rtt_seconds{role="server"}'])
  t.same(namesOf('pod:num_containers'), ['pod_containers'])
  t.same(namesOf('host:traffic'), [
    ...['host_sent_bytes_total', 'host_received_bytes_total'],
    ...['host_sent_packets_total', 'host_received_packets_total', 'host_udp_dropped_total'],
  ])
  t.same(namesOf('container:tcp'), [
    ...['container_tcp_opened_total', 'container_tcp_closed_total', 'container_tcp_failed_total'],
    ...['refused', 'reset', 'timeout', 'unreachable'].map(why => `container_tcp_failed_${why}_total`),
    ...['container_tcp_retransmits_total', 'container_tcp_data_sent_segments_total'],
    ...['container_tcp_data_received_segments_total', 'container_tcp_retransmit_ratio'],
    ...['container_tcp_out_of_order_total', 'container_tcp_ecn_marks_total', 'container_tcp_lost_segments'],
    ...['container_tcp_sent_resets_total', 'container_tcp_received_resets_total'],
  ])
  t.same(namesOf('pod:limits').slice(0, 2), ['pod_limits_busy_seconds_total', 'pod_limits_receiver_ratio'])
  t.equal(namesOf('pod:throughput')[0], 'pod_throughput_delivery_rate_bytes_per_second')
  t.same(namesOf('host:cpu').slice(0, 2), ['host_cpu_load_ratio', 'host_cpu_user_ratio'])
  t.same(namesOf('collector:lost'), ['collector_lost_total'])
  t.same(namesOf('collector:stats').slice(2, 6), [
    ...['collector_written_samples_total', 'collector_cpu_seconds_total'],
    ...['collector_memory_bytes', 'collector_queue_samples'],
  ])
})

t.test('a row with a distribution has a histogram of its name, in seconds', async t => {
  const found = catalogue.flatMap(metric => familiesOf(metric).filter(({ type }) => type === 'histogram'))
  t.same(
    found.map(({ name }) => name).sort(),
    ['container', 'host', 'pod'].flatMap(level => [
      ...[`sockflux_${level}_connect_seconds`, `sockflux_${level}_rtt_dist_seconds`],
    ]),
  )
})

t.test('each name is of one type, of one measurement and of characters that Prometheus takes', async t => {
  const families = catalogue.flatMap(familiesOf)
  const aliases = catalogue.flatMap(({ fields }) => fields.flatMap(({ alias }) => alias ?? []))
  t.equal(new Set(families.map(({ name }) => name)).size, families.length)
  for (const { name, type, help, values } of families) {
    t.match(name, aliases.includes(name) ? /^antrea_agent_[a-z_]+$/ : /^sockflux(_[a-z0-9]+)+$/)
    t.equal(name.endsWith('_total'), type === 'counter', name)
    t.ok(help.length > 10, `${name} has a help`)
    t.ok(type === 'histogram' || values.length > 0, `${name} has values`)
  }
})

t.test('a value is in its base unit', async t => {
  for (const metric of catalogue)
    for (const { perBase, values } of familiesOf(metric))
      for (const { at } of values) t.equal(perBase, UNITS[metric.fields[at]!.unit].perBase)
})
