/** The host that a probe runs on, and the programs themselves. */

import type { HostRecord, HostRow } from '../../wire/host_records.ts'
import type { Field, FlatMetric, Numbers } from './metric.ts'

/** Fields from the columns of a record. */
const from = <S extends object>() => {
  type Column = { [K in keyof S]: S[K] extends number ? K : never }[keyof S] & string
  const field =
    (type: Field<Numbers>['type']) =>
    <Name extends string>(
      name: Name,
      unit: Field<Numbers>['unit'],
      help: string,
      column: Column,
    ): Field<Numbers, Name> => ({
      ...{ name, type, unit, help },
      of: numbers => numbers[column],
    })
  return { gauge: field('gauge'), counter: field('counter') }
}
const record = <N extends HostRecord>(_: N) => from<HostRow<N>>()

const iface = record('iface')
const cpu = record('host_cpu')
const mem = record('host_mem')
const conntrack = from<HostRow<'host_conntrack'> & { readonly pods: number }>()
const probe = record('probe_stats')

/** The collector's metrics of itself, at the end of each of its intervals. */
export type CollectorStats = Record<
  | 'messages'
  | 'rows'
  | 'probes'
  | 'waiting'
  | 'written'
  | 'series'
  | 'cpu_us'
  | 'rss_bytes'
  | 'spool_bytes'
  | 'spool_samples'
  | 'spool_age_us',
  number
>
const collector = from<CollectorStats>()
/** Of one window, in 1/100 %. */
const coverage = from<Record<'windows' | 'rows', number>>()

const lost = <Name extends string>(name: Name, source: FlatMetric['source'], help: string) =>
  ({
    name,
    source,
    group: 'stats',
    dimensions: ['stage', 'reason'],
    fields: [from<{ count: number }>().counter('count', 'losses', 'what was lost', 'count')],
    sparse: true,
    help,
  }) as const satisfies FlatMetric

export const hostMetrics = [
  {
    name: 'iface:traffic',
    source: 'iface',
    group: 'host',
    dimensions: ['ifname'],
    fields: [
      iface.counter('bytes_sent', 'bytes', 'bytes sent, with all headers', 'tx_bytes'),
      iface.counter('bytes_rcvd', 'bytes', 'bytes received, with all headers', 'rx_bytes'),
      iface.counter('packets_sent', 'packets', 'packets sent', 'tx_packets'),
      iface.counter('packets_rcvd', 'packets', 'packets received', 'rx_packets'),
      iface.counter('errors_sent', 'errors', 'packets that could not be sent', 'tx_errors'),
      iface.counter('errors_rcvd', 'errors', 'packets received in error', 'rx_errors'),
      iface.counter('dropped_sent', 'packets', 'packets dropped on the way out', 'tx_dropped'),
      iface.counter('dropped_rcvd', 'packets', 'packets dropped on the way in', 'rx_dropped'),
    ],
    help: "network interfaces of the probe's network namespace, since the collector started",
  },
  {
    name: 'host:cpu',
    source: 'host_cpu',
    group: 'host',
    dimensions: [],
    fields: [
      cpu.gauge('load', 'percent', 'share of the time of all cores that was not idle', 'load'),
      cpu.gauge('user', 'percent', 'in user space', 'user'),
      cpu.gauge('system', 'percent', 'in the kernel', 'system'),
      cpu.gauge('steal', 'percent', 'taken by the hypervisor', 'steal'),
      cpu.gauge('load1', 'tasks', 'load average over one minute', 'load1'),
      cpu.gauge('cores', 'cores', 'cores online', 'cores'),
    ],
    help: 'CPU of the whole machine in the window, containers included',
  },
  {
    name: 'host:mem',
    source: 'host_mem',
    group: 'host',
    dimensions: [],
    fields: [
      mem.gauge('total', 'bytes', 'memory', 'total_bytes'),
      mem.gauge('used', 'bytes', 'not available to a program that asks for memory', 'used_bytes'),
      mem.gauge('available', 'bytes', 'MemAvailable of /proc/meminfo', 'available_bytes'),
      mem.gauge('cached', 'bytes', 'page cache and buffers', 'cached_bytes'),
      mem.gauge('swap_total', 'bytes', 'swap space', 'swap_total_bytes'),
      mem.gauge('swap_used', 'bytes', 'swap space in use', 'swap_used_bytes'),
    ],
    help: "memory of the whole machine at the window's end, containers included",
  },
  {
    name: 'host:conntrack',
    source: 'conntrack',
    group: 'conntrack',
    dimensions: [],
    fields: [
      {
        ...conntrack.gauge('total', 'connections', 'connections that the kernel tracks', 'count'),
        ...{ prometheus: 'total_connections', alias: 'antrea_agent_conntrack_total_connection_count' },
      },
      {
        ...conntrack.gauge(
          'pods',
          'connections',
          'live conversations with a pod of the host at one end',
          'pods',
        ),
        ...{ prometheus: 'pod_connections', alias: 'antrea_agent_conntrack_antrea_connection_count' },
      },
      {
        ...conntrack.gauge('max', 'connections', 'connections that the kernel can track', 'max'),
        ...{ prometheus: 'max_connections', alias: 'antrea_agent_conntrack_max_connection_count' },
      },
    ],
    help: "the kernel's table of connections, in the probe's network namespace, at the window's end",
  },
  {
    name: 'probe:stats',
    source: 'probe_stats',
    group: 'stats',
    dimensions: [],
    fields: [
      probe.counter('rows', 'rows', 'rows sent', 'rows'),
      probe.counter('messages', 'messages', 'messages sent', 'messages'),
      probe.counter('cpu_user', 'seconds', 'CPU time in user space', 'user_us'),
      probe.counter('cpu_system', 'seconds', 'CPU time in the kernel', 'system_us'),
      probe.gauge('memory', 'bytes', 'resident memory', 'rss_bytes'),
      probe.gauge('queue', 'bytes', 'bytes that wait for a collector', 'queue_bytes'),
      probe.gauge('queue_messages', 'messages', 'messages that wait for a collector', 'queue_messages'),
      probe.gauge(
        'guessed_flows',
        'flows',
        'flows whose owner is a guess: who listened, or created the UDP socket',
        'guessed_flows',
      ),
      probe.counter('host_failures', 'errors', 'figures of the host that could not be read', 'host_failures'),
      probe.gauge('queue_windows', 'windows', 'windows that wait for a collector', 'queue_windows'),
      probe.gauge('queue_rows', 'rows', 'rows that wait for a collector', 'queue_rows'),
      probe.counter(
        'stored_windows',
        'windows',
        'windows that a collector acknowledged, once for each collector',
        'stored_windows',
      ),
      probe.counter(
        'stored_rows',
        'rows',
        'rows of these windows; with one collector, rows = stored_rows + queue_rows + `queue/*` of probe:lost, less what an earlier run left in the spool',
        'stored_rows',
      ),
      probe.counter(
        'other_netns_rows',
        'rows',
        "rows of processes in no container whose network namespace is not the host's: they count for the host",
        'other_netns_rows',
      ),
      probe.gauge('spool', 'bytes', 'files of the spool, while something waits in it', 'spool_bytes'),
      probe.gauge(
        'spool_windows',
        'windows',
        'windows that wait on disk, part of queue_windows',
        'spool_windows',
      ),
      probe.gauge('spool_age', 'seconds', 'age of the oldest window in the spool', 'spool_seconds'),
    ],
    help: 'what a probe does and costs',
  },
  {
    name: 'probe:coverage',
    source: 'coverage',
    group: 'stats',
    dimensions: [],
    fields: [
      coverage.gauge(
        'windows',
        'percent',
        'share of its windows that came whole: 100 or 0 for each',
        'windows',
      ),
      coverage.gauge(
        'rows',
        'percent',
        'share of its rows that came; none for a window that has rows, and no end that says how many',
        'rows',
      ),
    ],
    help: 'how much of what a probe made reached the collector, a sample for each window, also for those that never came',
  },
  lost('probe:lost', 'lost', 'what a probe lost, by stage and reason'),
  {
    name: 'collector:stats',
    source: 'collector_stats',
    group: 'stats',
    dimensions: [],
    fields: [
      collector.counter('messages', 'messages', 'messages received', 'messages'),
      collector.counter('rows', 'rows', 'rows folded', 'rows'),
      {
        ...collector.counter('written', 'samples', 'samples stored, over all sinks', 'written'),
        prometheus: 'written_samples',
      },
      collector.counter('cpu', 'seconds', 'CPU time', 'cpu_us'),
      collector.gauge('memory', 'bytes', 'resident memory', 'rss_bytes'),
      {
        ...collector.gauge('queue', 'samples', 'samples that wait for a sink in memory', 'waiting'),
        prometheus: 'queue_samples',
      },
      collector.gauge('probes', 'probes', 'probes known', 'probes'),
      collector.gauge('series', 'series', 'series in use', 'series'),
      collector.gauge('spool', 'bytes', 'disk that is used for what sinks have not stored', 'spool_bytes'),
      collector.gauge('spool_samples', 'samples', 'samples that wait on disk', 'spool_samples'),
      collector.gauge('spool_age', 'seconds', 'how long the oldest of them waits', 'spool_age_us'),
    ],
    help: 'what the collector does and costs',
  },
  lost('collector:lost', 'collector_lost', 'what the collector lost, by stage and reason'),
] as const satisfies readonly FlatMetric[]
